// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Weighted k-means of row vectors: greedy k-means++ seeding (Arthur and Vassilvitskii, SODA 2007), then Lloyd's
// iterations (Lloyd, IEEE Trans. Inf. Theory 1982), minimising the inertia sum_t w_t min_k ||x_t - c_k||^2.
//
// Distances are taken as ||x||^2 - 2 x.c + ||c||^2, the middle term for many tokens at once (detail/row_products.hpp).
// That form cancels badly for data far from the origin, so the mean of the data is subtracted first. Three things keep
// the number of products and of passes over the data down, and none of them changes what is computed:
//
//   - Bounds (Elkan, ICML 2003): a distance changes by no more than its centroid moved. A token is measured anew, from
//     all centroids, only where the bounds no longer tell its nearest one. Skipping single distances of a token does
//     not pay: measuring from 100 centroids together costs about as much as reading the token for one.
//   - Sums of the tokens of each cluster are kept; only tokens that change their cluster are added and subtracted.
//     With them the inertia is sum_t w_t ||x_t||^2 - sum_k (2 s_k.c_k - W_k ||c_k||^2), s_k = sum_{t in k} w_t x_t.
//   - Candidates of the seeding are drawn and measured in batches, for distances d' that are out of date while later
//     ones of a batch are looked at; taking such a one with probability d / d' restores the right distribution.
//
// Deterministic: every choice comes from a counter-based generator, sums over tokens run in a fixed order, and work is
// cut by tokens or columns, so the result is the same bits for any number of threads. A cluster that loses all its
// tokens is given the token farthest from its centroid. Where there are fewer distinct points than clusters, the rest
// stay empty.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/core/executor.hpp"
#include "luq/core/matrix_view.hpp"
#include "luq/core/progress.hpp"

namespace luq {

struct kmeans_options {
  index clusters = 100;     ///< >= 1; 100 as LUQ chose by its knee of Kendall distances
  int max_iterations = 50;  ///< of Lloyd, >= 0
  double tolerance = 1e-4;  ///< stop when an iteration lowers the inertia by less than this share of it
  std::uint64_t seed = 0;   ///< of the seeding
  index trials = 0;         ///< tokens drawn for each centroid, of which the best is kept, >= 0; 1 is plain k-means++,
                            ///< 0 takes 2 + floor(ln clusters), as scikit-learn does
};

struct kmeans_result {
  matrix centroids;               ///< [clusters x width]
  std::vector<index> assignment;  ///< [tokens] cluster of each token
  std::vector<double> weights;    ///< [clusters] total weight of its tokens; 0 if empty
  double inertia = 0;             ///< of assignment and the centroids it was made with
  int iterations = 0;             ///< of Lloyd
  bool converged = false;         ///< stopped by the tolerance, not by max_iterations
};

/// Clusters the rows of X [tokens x width].
/// @param weights   one >= 0 per token, not all 0; empty for equal weights
/// @param observer  null for none; units are iterations, of which it may need fewer
/// @throws luq::error non_finite, invalid_argument, shape_mismatch, or insufficient_data without tokens
[[nodiscard]] kmeans_result kmeans(const matrix_view& X, const kmeans_options& options,
                                   std::span<const float> weights = {}, executor_ref executor = {},
                                   progress_observer* observer = nullptr);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/estimators/impl/kmeans.hpp"
#endif
