// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Scaled columns, and factors in fp16.
#pragma once

#include <cstring>

#include "luq/codecs/input_scaling.hpp"
#include "luq/core/assert.hpp"
#include "luq/core/error.hpp"
#include "luq/core/half.hpp"
#include "luq/core/is_finite.hpp"

namespace luq {

LUQ_INLINE input_scaling::input_scaling(std::span<const float> factors) : factors_(factors.begin(), factors.end()) {
  for (std::size_t c = 0; c < factors_.size(); ++c) {
    factors_[c] = static_cast<float>(half(factors[c]));
    if (!is_finite(factors_[c])) {
      fail(errc::non_finite, "input scaling: expected factors that are finite in fp16, got ", factors[c],
           " for column ", c);
    }
  }
}

LUQ_INLINE void input_scaling::pack(std::span<std::byte> bytes) const {
  LUQ_ASSERT(static_cast<index>(bytes.size()) == this->bytes());
  for (std::size_t c = 0; c < factors_.size(); ++c) {
    const half stored(factors_[c]);
    std::memcpy(bytes.data() + c * sizeof(half), &stored, sizeof(half));
  }
}

LUQ_INLINE input_scaling input_scaling::unpack(index in_features, std::span<const std::byte> bytes) {
  input_scaling result(in_features);
  if (static_cast<index>(bytes.size()) != result.bytes()) {
    fail(errc::corrupt_file, "input scaling of ", in_features, " columns: expected ", result.bytes(), " bytes, got ",
         bytes.size());
  }
  for (std::size_t c = 0; c < result.factors_.size(); ++c) {
    half stored;
    std::memcpy(&stored, bytes.data() + c * sizeof(half), sizeof(half));
    result.factors_[c] = static_cast<float>(stored);
    if (!is_finite(result.factors_[c])) {
      fail(errc::corrupt_file, "input scaling: expected finite factors, got ", result.factors_[c], " for column ", c);
    }
  }
  return result;
}

LUQ_INLINE void input_scaling::transform_activations(mutable_matrix_view X, executor_ref executor) const {
  multiply_columns(X, executor);
}

LUQ_INLINE void input_scaling::transform_weights(mutable_matrix_view W, executor_ref executor) const {
  LUQ_ASSERT(W.cols() == in_features());
  for (std::size_t c = 0; c < factors_.size(); ++c) {
    if (factors_[c] == 0.0f) {
      fail(errc::invalid_argument, "input scaling: cannot divide weights by the factor 0 of column ", c);
    }
  }
  executor.parallel_for(W.rows(), [&](index r) { W.row(r).array() /= row(); });
}

LUQ_INLINE void input_scaling::restore_weights(mutable_matrix_view W, executor_ref executor) const {
  multiply_columns(W, executor);
}

LUQ_INLINE void input_scaling::transform_hessian(mutable_matrix_view H, executor_ref executor) const {
  LUQ_ASSERT(H.rows() == in_features() && H.cols() == in_features());
  // (f_r f_c) H_rc, in this order, so that the mirrored element is the same bits.
  executor.parallel_for(H.rows(), [&](index r) { H.row(r).array() *= row() * factors_[static_cast<std::size_t>(r)]; });
}

LUQ_INLINE Eigen::Map<const Eigen::Array<float, 1, Eigen::Dynamic>> input_scaling::row() const {
  return {factors_.data(), in_features()};
}

LUQ_INLINE void input_scaling::multiply_columns(mutable_matrix_view M, executor_ref executor) const {
  LUQ_ASSERT(M.cols() == in_features());
  executor.parallel_for(M.rows(), [&](index r) { M.row(r).array() *= row(); });
}

}  // namespace luq
