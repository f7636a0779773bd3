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

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "luq/codecs/input_transform.hpp"
#include "luq/core/aligned_buffer.hpp"
#include "luq/core/error.hpp"
#include "luq/core/random.hpp"

namespace luq {

namespace detail {

/// H_8, row by row.
inline constexpr std::array<float, 64> hadamard_8 = [] {
  std::array<float, 64> result{};
  for (unsigned i = 0; i < 64; ++i) result[i] = std::popcount(i / 8 & i % 8) % 2 == 0 ? 1.0f : -1.0f;
  return result;
}();

/// x becomes H_n x, for n a power of two. Sums of a term are in an order that depends on n alone, so the result is the
/// same bits for any vector length: products with +-1 are exact.
inline void walsh_hadamard(float* x, index n) {
  using lanes = Eigen::Array<float, 8, 1>;
  using chunk = Eigen::Map<lanes>;
  const auto signs_of = [](int row) { return Eigen::Map<const lanes>(hadamard_8.data() + 8 * row); };
  index half_span = 1;
  if (n >= 8) {
    // H_8 of neighbours as eight multiply-adds of whole vectors instead of three stages of shuffles.
    for (index i = 0; i < n; i += 8) {
      const float* v = x + i;
      lanes sum = v[0] * signs_of(0);
      for (int j = 1; j < 8; ++j) sum += v[j] * signs_of(j);
      chunk(x + i) = sum;
    }
    half_span = 8;
    // Two stages at once: half the passes over memory.
    for (; 4 * half_span <= n; half_span *= 4) {
      for (index begin = 0; begin < n; begin += 4 * half_span) {
        for (float* p = x + begin; p < x + begin + half_span; p += 8) {
          chunk a(p), b(p + half_span), c(p + 2 * half_span), d(p + 3 * half_span);
          const lanes sum_ab = a + b;
          const lanes difference_ab = a - b;
          const lanes sum_cd = c + d;
          const lanes difference_cd = c - d;
          a = sum_ab + sum_cd;
          b = difference_ab + difference_cd;
          c = sum_ab - sum_cd;
          d = difference_ab - difference_cd;
        }
      }
    }
    if (half_span < n) {
      for (float* p = x; p < x + half_span; p += 8) {
        chunk a(p), b(p + half_span);
        const lanes sum = a + b;
        b = a - b;
        a = sum;
      }
    }
    return;
  }
  for (; half_span < n; half_span *= 2) {
    for (index begin = 0; begin < n; begin += 2 * half_span) {
      for (index i = begin; i < begin + half_span; ++i) {
        const float sum = x[i] + x[i + half_span];
        x[i + half_span] = x[i] - x[i + half_span];
        x[i] = sum;
      }
    }
  }
}

}  // namespace detail

struct rotation_options {
  std::uint64_t seed = 0;  ///< of the random signs
  index block = 0;  ///< columns that are mixed: a power of two that divides their number; 0 takes the largest such
};

class hadamard_rotation {
 public:
  /// @throws luq::error invalid_argument for a block that is no power of two or does not divide in_features
  explicit hadamard_rotation(index in_features, const rotation_options& options = {})
      : seed_(options.seed), block_(options.block == 0 ? largest_block(in_features) : options.block) {
    if (block_ < 1 || !std::has_single_bit(static_cast<std::uint64_t>(block_)) || in_features % block_ != 0 ||
        block_ > std::int64_t{1} << 31) {
      fail(errc::invalid_argument, "Hadamard rotation of ", in_features,
           " columns: expected a block that is a power of two, divides them and is at most 2^31, got ", block_);
    }
    const counter_rng rng(seed_, sign_stream);
    const auto unit = static_cast<float>(1.0 / std::sqrt(static_cast<double>(block_)));
    signs_.resize(static_cast<std::size_t>(in_features));
    std::uint64_t bits = 0;
    for (std::size_t c = 0; c < signs_.size(); ++c, bits >>= 1) {
      if (c % 64 == 0) bits = rng.bits(c / 64);
      signs_[c] = (bits & 1) != 0 ? unit : -unit;
    }
  }

  /// The largest power of two that divides `in_features`; 1 for 0.
  [[nodiscard]] static index largest_block(index in_features) {
    LUQ_ASSERT(in_features >= 0);
    return in_features == 0 ? 1 : in_features & -in_features;
  }

  [[nodiscard]] index in_features() const { return static_cast<index>(signs_.size()); }
  [[nodiscard]] std::string name() const { return "hadamard"; }
  [[nodiscard]] std::uint64_t seed() const { return seed_; }
  [[nodiscard]] index block() const { return block_; }

  [[nodiscard]] index bytes() const { return packed_bytes; }

  void pack(std::span<std::byte> bytes) const {
    LUQ_ASSERT(static_cast<index>(bytes.size()) == packed_bytes);
    for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::byte>(seed_ >> (8 * i));
    for (std::size_t i = 0; i < 4; ++i) bytes[8 + i] = static_cast<std::byte>(block_ >> (8 * i));
  }

  /// @throws luq::error corrupt_file for another number of bytes or a block that does not fit the columns
  [[nodiscard]] static hadamard_rotation unpack(index in_features, std::span<const std::byte> bytes) {
    if (static_cast<index>(bytes.size()) != packed_bytes) {
      fail(errc::corrupt_file, "Hadamard rotation: expected ", packed_bytes, " bytes, got ", bytes.size());
    }
    rotation_options options;
    for (std::size_t i = 0; i < 8; ++i) options.seed |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
    for (std::size_t i = 0; i < 4; ++i) options.block |= std::to_integer<index>(bytes[8 + i]) << (8 * i);
    if (options.block == 0 || !std::has_single_bit(static_cast<std::uint64_t>(options.block)) ||
        in_features % options.block != 0) {
      fail(errc::corrupt_file, "Hadamard rotation of ", in_features,
           " columns: expected a block that is a power of two and divides them, got ", options.block);
    }
    return hadamard_rotation(in_features, options);
  }

  void transform_activations(mutable_matrix_view X, executor_ref executor = {}) const {
    LUQ_ASSERT(X.cols() == in_features());
    executor.parallel_for(X.rows(), [&](index t) { rotate(X.row(t).data()); });
  }

  /// A row of W T^-1 = W T^T is T times that row.
  void transform_weights(mutable_matrix_view W, executor_ref executor = {}) const {
    transform_activations(W, executor);
  }

  void restore_weights(mutable_matrix_view W, executor_ref executor = {}) const {
    LUQ_ASSERT(W.cols() == in_features());
    executor.parallel_for(W.rows(), [&](index r) { rotate_back(W.row(r).data()); });
  }

  void transform_hessian(mutable_matrix_view H, executor_ref executor = {}) const {
    LUQ_ASSERT(H.rows() == in_features() && H.cols() == in_features());
    transform_activations(H, executor);
    matrix turned = H.transpose();  // T H
    transform_activations(turned, executor);
    H = 0.5f * (turned + turned.transpose());  // rounding had made it slightly asymmetric
  }

  friend bool operator==(const hadamard_rotation& a, const hadamard_rotation& b) {
    return a.seed_ == b.seed_ && a.block_ == b.block_ && a.in_features() == b.in_features();
  }

 private:
  static constexpr index packed_bytes = 12;
  static constexpr std::uint64_t sign_stream = 0x4861646d;  // apart from other users of the same seed

  [[nodiscard]] Eigen::Map<const Eigen::ArrayXf> signs() const { return {signs_.data(), in_features()}; }

  void rotate(float* x) const {
    Eigen::Map<Eigen::ArrayXf>(x, in_features()) *= signs();
    for (index begin = 0; begin < in_features(); begin += block_) detail::walsh_hadamard(x + begin, block_);
  }

  void rotate_back(float* x) const {
    for (index begin = 0; begin < in_features(); begin += block_) detail::walsh_hadamard(x + begin, block_);
    Eigen::Map<Eigen::ArrayXf>(x, in_features()) *= signs();
  }

  std::uint64_t seed_;
  index block_;
  aligned_buffer<float> signs_;  // s / sqrt(b)
};

static_assert(InputTransform<hadamard_rotation>);

}  // namespace luq
