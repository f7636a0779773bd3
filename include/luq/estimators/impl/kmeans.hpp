// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "luq/core/all_finite.hpp"
#include "luq/core/detail/row_pointer.hpp"
#include "luq/core/error.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/estimators/impl/kmeans_run.hpp"
#include "luq/estimators/kmeans.hpp"

namespace luq {

LUQ_INLINE kmeans_result kmeans(const matrix_view& X, const kmeans_options& options, std::span<const float> weights,
                                executor_ref executor, progress_observer* observer) {
  const bool has_tolerance = !is_nan(options.tolerance) && options.tolerance >= 0;
  if (options.clusters < 1 || options.max_iterations < 0 || !has_tolerance || options.trials < 0) {
    fail(errc::invalid_argument,
         "k-means: expected clusters >= 1, max_iterations >= 0, tolerance >= 0 and trials >= 0, got ", options.clusters,
         ", ", options.max_iterations, ", ", options.tolerance, " and ", options.trials);
  }
  if (X.rows() == 0) fail(errc::insufficient_data, "k-means: expected tokens, got none");
  if (!weights.empty() && static_cast<index>(weights.size()) != X.rows()) {
    fail(errc::shape_mismatch, "k-means: expected ", X.rows(), " weights, one per token, got ", weights.size());
  }
  double total = weights.empty() ? 1.0 : 0.0;
  for (const float weight : weights) {
    if (!is_finite(weight) || weight < 0.0f) {
      fail(errc::invalid_argument, "k-means: expected finite weights >= 0, got ", weight);
    }
    total += static_cast<double>(weight);
  }
  if (total <= 0) fail(errc::insufficient_data, "k-means: expected a token of positive weight, got none");
  std::vector<std::uint8_t> finite(static_cast<std::size_t>(X.rows()));
  executor.parallel_for(X.rows(), [&](index t) {
    finite[static_cast<std::size_t>(t)] = all_finite(detail::row_pointer(X, t), X.cols()) ? 1 : 0;
  });
  const auto bad = std::find(finite.begin(), finite.end(), std::uint8_t{0});
  if (bad != finite.end()) {
    fail(errc::non_finite, "k-means: token ", bad - finite.begin(), ": expected finite numbers, got a NaN or infinity");
  }
  return detail::kmeans_run(X, weights, options, executor).run(observer);
}

}  // namespace luq
