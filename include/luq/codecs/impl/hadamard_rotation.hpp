// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A rotation of rows in place, and its twelve bytes.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "luq/codecs/detail/walsh_hadamard.hpp"
#include "luq/codecs/hadamard_rotation.hpp"
#include "luq/core/assert.hpp"
#include "luq/core/error.hpp"
#include "luq/core/random.hpp"

namespace luq {

LUQ_INLINE hadamard_rotation::hadamard_rotation(index in_features, const rotation_options& options)
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

LUQ_INLINE index hadamard_rotation::largest_block(index in_features) {
  LUQ_ASSERT(in_features >= 0);
  return in_features == 0 ? 1 : in_features & -in_features;
}

LUQ_INLINE void hadamard_rotation::pack(std::span<std::byte> bytes) const {
  LUQ_ASSERT(static_cast<index>(bytes.size()) == this->bytes());
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::byte>(seed_ >> (8 * i));
  for (std::size_t i = 0; i < 4; ++i) bytes[8 + i] = static_cast<std::byte>(block_ >> (8 * i));
}

LUQ_INLINE hadamard_rotation hadamard_rotation::unpack(index in_features, std::span<const std::byte> bytes) {
  const index expected = transform_bytes("hadamard", in_features);
  if (static_cast<index>(bytes.size()) != expected) {
    fail(errc::corrupt_file, "Hadamard rotation: expected ", expected, " bytes, got ", bytes.size());
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

LUQ_INLINE void hadamard_rotation::transform_activations(mutable_matrix_view X, executor_ref executor) const {
  LUQ_ASSERT(X.cols() == in_features());
  executor.parallel_for(X.rows(), [&](index t) { rotate(X.row(t).data()); });
}

LUQ_INLINE void hadamard_rotation::transform_weights(mutable_matrix_view W, executor_ref executor) const {
  transform_activations(W, executor);
}

LUQ_INLINE void hadamard_rotation::restore_weights(mutable_matrix_view W, executor_ref executor) const {
  LUQ_ASSERT(W.cols() == in_features());
  executor.parallel_for(W.rows(), [&](index r) { rotate_back(W.row(r).data()); });
}

LUQ_INLINE void hadamard_rotation::transform_hessian(mutable_matrix_view H, executor_ref executor) const {
  LUQ_ASSERT(H.rows() == in_features() && H.cols() == in_features());
  transform_activations(H, executor);
  matrix turned = H.transpose();  // T H
  transform_activations(turned, executor);
  H = 0.5f * (turned + turned.transpose());  // rounding had made it slightly asymmetric
}

LUQ_INLINE void hadamard_rotation::rotate(float* x) const {
  Eigen::Map<Eigen::ArrayXf>(x, in_features()) *= signs();
  for (index begin = 0; begin < in_features(); begin += block_) detail::walsh_hadamard(x + begin, block_);
}

LUQ_INLINE void hadamard_rotation::rotate_back(float* x) const {
  for (index begin = 0; begin < in_features(); begin += block_) detail::walsh_hadamard(x + begin, block_);
  Eigen::Map<Eigen::ArrayXf>(x, in_features()) *= signs();
}

}  // namespace luq
