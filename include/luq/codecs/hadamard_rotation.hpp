// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A random rotation of a layer's inputs: T = (I (x) H_b / sqrt(b)) diag(s), with random signs s and the Walsh-Hadamard
// matrix H_b of Sylvester's order, (H_b)_ij = (-1)^popcount(i & j), on consecutive blocks of b columns. T is
// orthonormal. Rotated weights and inputs have no outliers left: each is a random signed mean of b of the old ones
// (incoherence processing of Tseng et al., QuIP#, ICML 2024, section 3, here of the inputs alone: the rows of W keep
// scales of their own, and an output rotation would have to be undone at run time as well).
//
// b is a power of two that divides the number of columns: 4096 = 2^12 is one block, 11008 = 2^8 * 43 are 43 blocks of
// 256, 18944 = 2^9 * 37 are 37 of 512. An odd number of columns has blocks of 1, that is nothing but signs; such a
// layer is not helped. Not the product with a Hadamard matrix of size 43 that QuIP# uses for the odd factor: for large
// b it mixes little more, and its cost is quadratic in that factor.
//
// Signs come from a counter-based stream, so only the seed and b are stored:
//
//   | seed, 8 bytes | b, 4 bytes |      little-endian
//
// A row of n columns costs n log2(b) additions and n multiplications, in place.
#pragma once

#include <cstdint>

#include "luq/codecs/input_transform.hpp"
#include "luq/codecs/transform_bytes.hpp"
#include "luq/core/aligned_buffer.hpp"
#include "luq/core/compiled.hpp"

namespace luq {

struct rotation_options {
  std::uint64_t seed = 0;  ///< of the random signs
  index block = 0;  ///< columns that are mixed: a power of two that divides their number; 0 takes the largest such
};

class hadamard_rotation final : public input_transform {
 public:
  /// @throws luq::error invalid_argument for a block that is no power of two or does not divide in_features
  explicit hadamard_rotation(index in_features, const rotation_options& options = {});

  /// The largest power of two that divides `in_features`; 1 for 0.
  [[nodiscard]] static index largest_block(index in_features);

  [[nodiscard]] index in_features() const override { return static_cast<index>(signs_.size()); }
  [[nodiscard]] std::string_view name() const override { return "hadamard"; }
  [[nodiscard]] std::uint64_t seed() const { return seed_; }
  [[nodiscard]] index block() const { return block_; }

  [[nodiscard]] index bytes() const override { return transform_bytes(name(), in_features()); }

  void pack(std::span<std::byte> bytes) const override;

  /// @throws luq::error corrupt_file for another number of bytes or a block that does not fit the columns
  [[nodiscard]] static hadamard_rotation unpack(index in_features, std::span<const std::byte> bytes);

  void transform_activations(mutable_matrix_view X, executor_ref executor = {}) const override;

  /// A row of W T^-1 = W T^T is T times that row.
  void transform_weights(mutable_matrix_view W, executor_ref executor = {}) const override;

  void restore_weights(mutable_matrix_view W, executor_ref executor = {}) const override;

  void transform_hessian(mutable_matrix_view H, executor_ref executor = {}) const override;

  friend bool operator==(const hadamard_rotation& a, const hadamard_rotation& b) {
    return a.seed_ == b.seed_ && a.block_ == b.block_ && a.in_features() == b.in_features();
  }

 private:
  static constexpr std::uint64_t sign_stream = 0x4861646d;  // apart from other users of the same seed

  [[nodiscard]] Eigen::Map<const Eigen::ArrayXf> signs() const { return {signs_.data(), in_features()}; }

  void rotate(float* x) const;

  void rotate_back(float* x) const;

  std::uint64_t seed_;
  index block_;
  aligned_buffer<float> signs_;  // s / sqrt(b)
};

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/codecs/impl/hadamard_rotation.hpp"
#endif
