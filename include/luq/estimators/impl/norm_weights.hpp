// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "luq/core/detail/row_operations.hpp"
#include "luq/core/detail/row_pointer.hpp"
#include "luq/core/error.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/estimators/detail/token_weights.hpp"
#include "luq/estimators/norm_weights.hpp"

namespace luq {
namespace detail {

/// @param counts  whose weights are 0 for tokens that do not count and 1 for the others
[[nodiscard]] LUQ_INLINE std::vector<float> norm_weights_of(const matrix_view& X, const token_weights& counts,
                                                            double clip, executor_ref executor) {
  if (is_nan(clip) || clip <= 0) fail(errc::invalid_argument, "norm weights: expected a clip > 0, got ", clip);
  require_finite_tokens("norm weights", X, counts, executor);
  std::vector<float> lambda(static_cast<std::size_t>(X.rows()), 0.0f);
  // In double, in which the square of a float neither overflows nor underflows.
  std::vector<double> squares(lambda.size(), 0.0);
  executor.parallel_for(X.rows(), [&](index t) {
    const auto token = static_cast<std::size_t>(t);
    if (counts[token] > 0.0f) squares[token] = squared_norm(row_pointer(X, t), X.cols());
  });
  std::vector<double> ordered;
  for (const double square : squares) {
    if (square > 0) ordered.push_back(square);
  }
  double limit = 0;  // of the squared norm
  if (!ordered.empty()) {
    const auto middle = ordered.begin() + (static_cast<std::ptrdiff_t>(ordered.size()) - 1) / 2;
    std::nth_element(ordered.begin(), middle, ordered.end());
    limit = clip * clip * *middle;
  }
  for (std::size_t t = 0; t < lambda.size(); ++t) {
    if (!(counts[t] > 0.0f)) continue;
    lambda[t] = squares[t] > limit ? static_cast<float>(limit / squares[t]) : 1.0f;
  }
  return lambda;
}

}  // namespace detail

LUQ_INLINE std::vector<float> norm_weights(const matrix_view& X, double clip, executor_ref executor) {
  return detail::norm_weights_of(X, detail::equal_weights(X.rows()), clip, executor);
}

LUQ_INLINE std::vector<float> norm_weights(const matrix_view& X, std::span<const token_class> classes, double clip,
                                           executor_ref executor) {
  return detail::norm_weights_of(X, detail::weights_of_classes("norm weights", X.rows(), classes), clip, executor);
}

}  // namespace luq
