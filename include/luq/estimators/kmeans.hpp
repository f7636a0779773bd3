// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Weighted k-means of row vectors: k-means++ seeding (Arthur and Vassilvitskii, SODA 2007), then Lloyd's iterations
// (Lloyd, IEEE Trans. Inf. Theory 1982), minimising the inertia sum_t w_t min_k ||x_t - c_k||^2.
//
// Distances are taken as ||x||^2 - 2 x.c + ||c||^2, the middle term as one matrix product for each block of tokens.
// That form cancels badly for data far from the origin, so the mean of the data is subtracted first.
//
// Deterministic: every choice comes from a counter-based generator, sums over tokens run in a fixed order, and work is
// cut by tokens, so the result is the same bits for any number of threads. A cluster that loses all its tokens is
// given the token farthest from its centroid. Where there are fewer distinct points than clusters, the rest stay empty.
#pragma once

#include <algorithm>
#include <limits>
#include <span>
#include <vector>

#include "luq/core/error.hpp"
#include "luq/core/executor.hpp"
#include "luq/core/matrix_view.hpp"
#include "luq/core/progress.hpp"
#include "luq/core/random.hpp"

namespace luq {

struct kmeans_options {
  index clusters = 100;     ///< >= 1; 100 as LUQ chose by its knee of Kendall distances
  int max_iterations = 50;  ///< of Lloyd, >= 0
  double tolerance = 1e-4;  ///< stop when an iteration lowers the inertia by less than this share of it
  std::uint64_t seed = 0;   ///< of the seeding
};

struct kmeans_result {
  matrix centroids;               ///< [clusters x width]
  std::vector<index> assignment;  ///< [tokens] cluster of each token
  std::vector<double> weights;    ///< [clusters] total weight of its tokens; 0 if empty
  double inertia = 0;             ///< of assignment and the centroids it was made with
  int iterations = 0;             ///< of Lloyd
  bool converged = false;         ///< stopped by the tolerance, not by max_iterations
};

namespace detail {

/// One clustering in progress. Tokens are centred on their mean.
template <Executor E>
class kmeans_run {
 public:
  kmeans_run(const matrix_view& X, std::span<const float> weights, const kmeans_options& options, const E& executor)
      : options_(options),
        executor_(executor),
        mean_(X.cast<double>().colwise().mean().template cast<float>()),
        tokens_(X.rowwise() - mean_),
        weights_(weights.begin(), weights.end()),
        nearest_(static_cast<std::size_t>(X.rows()), 0),
        distance_(static_cast<std::size_t>(X.rows()), std::numeric_limits<float>::infinity()) {
    if (weights_.empty()) weights_.assign(static_cast<std::size_t>(X.rows()), 1.0f);
    square_ = tokens_.rowwise().squaredNorm();
  }

  kmeans_result run(progress_observer* observer) {
    progress_scope progress(observer, "k-means", static_cast<std::uint64_t>(options_.max_iterations));
    kmeans_result result;
    seed_centroids();
    double inertia = assign();
    while (result.iterations < options_.max_iterations && !result.converged) {
      move_centroids();
      const double next = assign();
      result.converged = inertia - next <= options_.tolerance * inertia;
      inertia = next;
      ++result.iterations;
      progress.advance();
    }
    result.inertia = inertia;
    result.centroids = centroids_.rowwise() + mean_;
    result.assignment = nearest_;
    result.weights.assign(static_cast<std::size_t>(options_.clusters), 0.0);
    for (std::size_t t = 0; t < nearest_.size(); ++t) {
      result.weights[static_cast<std::size_t>(nearest_[t])] += static_cast<double>(weights_[t]);
    }
    return result;
  }

 private:
  static constexpr index token_block = 512;  // tokens of one task: one product of [512 x width] and [width x clusters]

  [[nodiscard]] index blocks() const { return (tokens_.rows() + token_block - 1) / token_block; }

  template <class Task>
  void for_each_block(Task&& task) const {
    executor_.parallel_for(blocks(), [&](index block) {
      const index first = block * token_block;
      task(first, std::min(token_block, tokens_.rows() - first));
    });
  }

  /// Sum of w_t d_t over tokens, in order.
  [[nodiscard]] double weighted_distance() const {
    double sum = 0;
    for (std::size_t t = 0; t < distance_.size(); ++t) {
      sum += static_cast<double>(weights_[t]) * static_cast<double>(distance_[t]);
    }
    return sum;
  }

  /// k-means++: each centroid is a token drawn with probability proportional to its weight times its squared distance
  /// from the centroids before it (for the first, to its weight).
  void seed_centroids() {
    const counter_rng rng(options_.seed);
    centroids_ = matrix::Zero(options_.clusters, tokens_.cols());
    std::fill(distance_.begin(), distance_.end(), 1.0f);
    for (index k = 0; k < options_.clusters; ++k) {
      centroids_.row(k) = tokens_.row(draw(rng.uniform(static_cast<std::uint64_t>(k)) * weighted_distance()));
      const auto centroid = centroids_.row(k);
      for_each_block([&](index first, index count) {
        for (index t = first; t < first + count; ++t) {
          float& distance = distance_[static_cast<std::size_t>(t)];
          const float candidate = (tokens_.row(t) - centroid).squaredNorm();
          distance = k == 0 ? candidate : std::min(distance, candidate);
        }
      });
    }
  }

  /// The token at which the running sum of w_t d_t passes `target`.
  [[nodiscard]] index draw(double target) const {
    double sum = 0;
    index last = 0;  // of those that may be drawn at all, for a target lost to rounding
    for (std::size_t t = 0; t < distance_.size(); ++t) {
      const double share = static_cast<double>(weights_[t]) * static_cast<double>(distance_[t]);
      if (share <= 0) continue;
      last = static_cast<index>(t);
      sum += share;
      if (sum > target) break;
    }
    return last;
  }

  /// Finds the nearest centroid of each token. Returns the inertia.
  double assign() {
    const Eigen::RowVectorXf half_square = 0.5f * centroids_.rowwise().squaredNorm().transpose();
    for_each_block([&](index first, index count) {
      matrix closeness = tokens_.middleRows(first, count) * centroids_.transpose();  // [count x clusters]
      closeness.rowwise() -= half_square;                                            // x.c - ||c||^2 / 2
      for (index i = 0; i < count; ++i) {
        index nearest = 0;
        const float best = closeness.row(i).maxCoeff(&nearest);
        nearest_[static_cast<std::size_t>(first + i)] = nearest;
        distance_[static_cast<std::size_t>(first + i)] = std::max(0.0f, square_[first + i] - 2.0f * best);
      }
    });
    return weighted_distance();
  }

  /// Puts each centroid at the weighted mean of its tokens.
  void move_centroids() {
    basic_matrix<double> sums = basic_matrix<double>::Zero(options_.clusters, tokens_.cols());
    std::vector<double> totals(static_cast<std::size_t>(options_.clusters), 0.0);
    for (index t = 0; t < tokens_.rows(); ++t) {
      const auto weight = static_cast<double>(weights_[static_cast<std::size_t>(t)]);
      const index k = nearest_[static_cast<std::size_t>(t)];
      sums.row(k) += weight * tokens_.row(t).cast<double>();
      totals[static_cast<std::size_t>(k)] += weight;
    }
    for (index k = 0; k < options_.clusters; ++k) {
      const double total = totals[static_cast<std::size_t>(k)];
      if (total > 0) {
        centroids_.row(k) = (sums.row(k) / total).cast<float>();
      } else {
        move_to_farthest(k);
      }
    }
  }

  void move_to_farthest(index k) {
    std::size_t farthest = 0;
    float most = 0;
    for (std::size_t t = 0; t < distance_.size(); ++t) {
      if (weights_[t] > 0 && distance_[t] > most) {
        most = distance_[t];
        farthest = t;
      }
    }
    if (most <= 0) return;  // every point has a centroid of its own: the cluster stays empty
    centroids_.row(k) = tokens_.row(static_cast<index>(farthest));
    for (index t = 0; t < tokens_.rows(); ++t) {  // the next empty cluster must not take a copy of the same token
      float& distance = distance_[static_cast<std::size_t>(t)];
      distance = std::min(distance, (tokens_.row(t) - centroids_.row(k)).squaredNorm());
    }
  }

  kmeans_options options_;
  E executor_;
  Eigen::RowVectorXf mean_;
  matrix tokens_;  // [tokens x width], centred
  std::vector<float> weights_;
  Eigen::VectorXf square_;  // ||x||^2
  matrix centroids_;        // [clusters x width], centred
  std::vector<index> nearest_;
  std::vector<float> distance_;  // squared, to the nearest centroid
};

}  // namespace detail

/// Clusters the rows of X [tokens x width].
/// @param weights   one >= 0 per token, not all 0; empty for equal weights
/// @param observer  null for none; units are iterations, of which it may need fewer
/// @throws luq::error non_finite, invalid_argument, shape_mismatch, or insufficient_data without tokens
template <Executor E = serial_executor>
[[nodiscard]] kmeans_result kmeans(const matrix_view& X, const kmeans_options& options,
                                   std::span<const float> weights = {}, const E& executor = {},
                                   progress_observer* observer = nullptr) {
  if (options.clusters < 1 || options.max_iterations < 0 || !(options.tolerance >= 0)) {
    fail(errc::invalid_argument, "k-means: expected clusters >= 1, max_iterations >= 0 and tolerance >= 0, got ",
         options.clusters, ", ", options.max_iterations, " and ", options.tolerance);
  }
  if (X.rows() == 0) fail(errc::insufficient_data, "k-means: expected tokens, got none");
  if (!weights.empty() && static_cast<index>(weights.size()) != X.rows()) {
    fail(errc::shape_mismatch, "k-means: expected ", X.rows(), " weights, one per token, got ", weights.size());
  }
  double total = weights.empty() ? 1.0 : 0.0;
  for (const float weight : weights) {
    if (!(weight >= 0.0f && weight <= std::numeric_limits<float>::max())) {
      fail(errc::invalid_argument, "k-means: expected finite weights >= 0, got ", weight);
    }
    total += static_cast<double>(weight);
  }
  if (total <= 0) fail(errc::insufficient_data, "k-means: expected a token of positive weight, got none");
  for (index t = 0; t < X.rows(); ++t) {
    if (!X.row(t).allFinite()) {
      fail(errc::non_finite, "k-means: token ", t, ": expected finite numbers, got a NaN or infinity");
    }
  }
  return detail::kmeans_run<E>(X, weights, options, executor).run(observer);
}

}  // namespace luq
