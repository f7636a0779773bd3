// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>

#include "luq/core/detail/row_pointer.hpp"
#include "luq/core/error.hpp"
#include "luq/estimators/detail/token_weights.hpp"
#include "luq/estimators/mean_magnitude.hpp"

namespace luq {

LUQ_INLINE void mean_magnitude::add(const matrix_view& X, executor_ref executor) {
  add_weighted(X, detail::equal_weights(X.rows()), executor);
}

LUQ_INLINE void mean_magnitude::add(const matrix_view& X, std::span<const float> lambda, executor_ref executor) {
  add_weighted(X, detail::checked_weights("mean magnitude", X.rows(), lambda), executor);
}

LUQ_INLINE void mean_magnitude::add(const matrix_view& X, std::span<const token_class> classes, executor_ref executor) {
  add_weighted(X, detail::weights_of_classes("mean magnitude", X.rows(), classes), executor);
}

LUQ_INLINE void mean_magnitude::merge(const mean_magnitude& other) {
  if (other.in_features() != in_features()) {
    fail(errc::shape_mismatch, "mean magnitude merge: expected ", in_features(), " inputs, got ", other.in_features());
  }
  for (std::size_t c = 0; c < sum_.size(); ++c) sum_[c] += other.sum_[c];
  tokens_ += other.tokens_;
  weight_ += other.weight_;
}

LUQ_INLINE std::vector<float> mean_magnitude::values() const {
  std::vector<float> result(sum_.size(), 0.0f);
  if (!(weight_ > 0)) return result;
  for (std::size_t c = 0; c < sum_.size(); ++c) result[c] = static_cast<float>(sum_[c] / weight_);
  return result;
}

LUQ_INLINE void mean_magnitude::add_weighted(const matrix_view& X, const std::vector<float>& lambda,
                                             executor_ref executor) {
  constexpr index strip = 256;  // columns of one task
  if (X.cols() != in_features()) {
    fail(errc::shape_mismatch, "mean magnitude: expected activations of ", in_features(), " features, got ", X.cols());
  }
  detail::require_finite_tokens("mean magnitude", X, lambda, executor);
  executor.parallel_for((in_features() + strip - 1) / strip, [&](index task) {
    const index first = task * strip;
    const index columns = (std::min)(strip, in_features() - first);
    double* const sum = sum_.data() + first;
    for (index t = 0; t < X.rows(); ++t) {
      const auto weight = static_cast<double>(lambda[static_cast<std::size_t>(t)]);
      if (!(weight > 0)) continue;
      const float* const x = detail::row_pointer(X, t) + first;
      for (index c = 0; c < columns; ++c) sum[c] += weight * static_cast<double>(std::abs(x[c]));
    }
  });
  for (const float weight : lambda) {
    if (!(weight > 0.0f)) continue;
    ++tokens_;
    weight_ += static_cast<double>(weight);
  }
}

LUQ_INLINE std::vector<float> input_magnitude(const matrix_view& H) {
  std::vector<float> magnitude(static_cast<std::size_t>(H.rows()));
  for (index c = 0; c < H.rows(); ++c) {
    magnitude[static_cast<std::size_t>(c)] = std::sqrt((std::max)(detail::row_pointer(H, c)[c], 0.0f));
  }
  return magnitude;
}

}  // namespace luq
