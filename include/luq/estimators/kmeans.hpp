// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Weighted k-means of row vectors: greedy k-means++ seeding (Arthur and Vassilvitskii, SODA 2007), then Lloyd's
// iterations (Lloyd, IEEE Trans. Inf. Theory 1982), minimising the inertia sum_t w_t min_k ||x_t - c_k||^2.
//
// Distances are taken as ||x||^2 - 2 x.c + ||c||^2, the middle term for many tokens at once (row_products.hpp). That
// form cancels badly for data far from the origin, so the mean of the data is subtracted first. Three things keep the
// number of products and of passes over the data down, and none of them changes what is computed:
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

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

#include "luq/core/aligned_buffer.hpp"
#include "luq/core/all_finite.hpp"
#include "luq/core/error.hpp"
#include "luq/core/executor.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/core/matrix_view.hpp"
#include "luq/core/progress.hpp"
#include "luq/core/random.hpp"
#include "luq/estimators/row_products.hpp"

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

namespace detail {

/// One clustering in progress. Tokens are centred on their mean.
class kmeans_run {
 public:
  kmeans_run(const matrix_view& X, std::span<const float> weights, const kmeans_options& options, executor_ref executor)
      : options_(options),
        executor_(executor),
        mean_(X.cols()),
        tokens_(X.rows(), X.cols()),
        weights_(weights.begin(), weights.end()),
        square_(X.rows()),
        sums_(basic_matrix<double>::Zero(options.clusters, X.cols())),
        totals_(static_cast<std::size_t>(options.clusters), 0.0),
        most_mass_(static_cast<std::size_t>(options.clusters), 0.0),
        summed_(static_cast<std::size_t>(X.rows()), not_summed),
        nearest_(static_cast<std::size_t>(X.rows()), 0),
        distance_(X.rows()),
        near_(Eigen::VectorXf::Constant(X.rows(), std::numeric_limits<float>::infinity())),
        far_(X.rows(), options.clusters),
        drift_(Eigen::RowVectorXf::Zero(options.clusters)) {
    if (weights_.empty()) weights_.assign(static_cast<std::size_t>(X.rows()), 1.0f);
    for_each_column_block([&](index first, index columns) {
      Eigen::RowVectorXd sum = Eigen::RowVectorXd::Zero(columns);
      for (index t = 0; t < X.rows(); ++t) sum += X.row(t).segment(first, columns).template cast<double>();
      mean_.segment(first, columns) = (sum / static_cast<double>(X.rows())).template cast<float>();
    });
    std::vector<double> energies(static_cast<std::size_t>(X.rows()));
    for_each_block([&](index first, index count) {
      for (index t = first; t < first + count; ++t) {
        tokens_.row(t) = X.row(t) - mean_;
        const double square = tokens_.row(t).template cast<double>().squaredNorm();
        square_[t] = static_cast<float>(square);
        energies[static_cast<std::size_t>(t)] = weight(t) * square;
      }
    });
    energy_ = std::accumulate(energies.begin(), energies.end(), 0.0);
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
    result.weights = totals_;
    return result;
  }

 private:
  static constexpr index token_block = 512;     // tokens of one task
  static constexpr index product_tokens = 96;   // tokens measured at once: their slices and products stay in L2
  static constexpr index column_block = 256;    // columns of one task, where it passes over all tokens
  static constexpr index candidate_batch = 64;  // candidates of the seeding measured in one pass over the tokens
  static constexpr index not_summed = -1;

  /// Calls task(first, count) for each block of tokens.
  template <class Task>
  void for_each_block(Task&& task) const {
    executor_.parallel_for((tokens_.rows() + token_block - 1) / token_block, [&](index block) {
      const index first = block * token_block;
      task(first, (std::min)(token_block, tokens_.rows() - first));
    });
  }

  /// Calls task(first, columns) for each block of columns.
  template <class Task>
  void for_each_column_block(Task&& task) const {
    executor_.parallel_for((tokens_.cols() + column_block - 1) / column_block, [&](index block) {
      const index first = block * column_block;
      task(first, (std::min)(column_block, tokens_.cols() - first));
    });
  }

  /// Calls task(t, products of token t with the rows of C) for each of the tokens.
  template <class Task>
  void for_each_product(const row_products<>& C, const std::vector<index>& tokens, Task&& task) const {
    std::vector<const float*> rows;
    aligned_buffer<float> products(static_cast<std::size_t>(product_tokens * C.stride()));
    for (std::size_t first = 0; first < tokens.size(); first += rows.size()) {
      rows.clear();
      for (std::size_t i = first; i < (std::min)(tokens.size(), first + std::size_t{product_tokens}); ++i) {
        rows.push_back(tokens_.row(tokens[i]).data());
      }
      C(rows.data(), static_cast<index>(rows.size()), products.data());
      for (std::size_t i = 0; i < rows.size(); ++i) {
        task(tokens[first + i], products.data() + static_cast<index>(i) * C.stride());
      }
    }
  }

  [[nodiscard]] double weight(index t) const { return static_cast<double>(weights_[static_cast<std::size_t>(t)]); }
  [[nodiscard]] index& nearest(index t) { return nearest_[static_cast<std::size_t>(t)]; }

  /// k-means++: each centroid is a token drawn with probability proportional to its weight times its squared distance
  /// from the centroids before it (for the first, to its weight). Of several tokens drawn so, that one is kept which
  /// leaves the least sum of weighted distances.
  void seed_centroids() {
    centroids_ = matrix::Zero(options_.clusters, tokens_.cols());
    distance_.setOnes();
    centroids_.row(0) = tokens_.row(draw(running_shares()));
    for_each_block([&](index first, index count) {
      for (index t = first; t < first + count; ++t) distance_[t] = squared_distance(t, 0);
    });
    const auto trials = options_.trials > 0 ? options_.trials
                                            : 2 + static_cast<index>(std::log(static_cast<double>(options_.clusters)));
    std::vector<index> group;  // tokens drawn for centroid k
    for (index k = 1; k < options_.clusters;) {
      const std::vector<double> shares = running_shares();
      if (shares.back() <= 0) {  // every point has a centroid of its own
        centroids_.bottomRows(options_.clusters - k).rowwise() = centroids_.row(0);
        return;
      }
      const index size = (std::min)((std::max)(candidate_batch, trials), (options_.clusters - k) * trials);
      const auto drawn = static_cast<index>(group.size());
      std::vector<index> batch = group;
      while (static_cast<index>(batch.size()) < size) batch.push_back(draw(shares));
      const matrix reach = distances_from(batch);  // [tokens x batch]
      const Eigen::VectorXf before = distance_;
      std::vector<index> trial;  // of the group, by its column of `reach`
      for (index i = 0; i < size; ++i) {
        const index token = batch[static_cast<std::size_t>(i)];
        const double taken = i < drawn ? 0.0 : uniform() * static_cast<double>(before[token]);
        if (taken >= static_cast<double>(distance_[token]) && i >= drawn) continue;
        trial.push_back(i);
        if (static_cast<index>(trial.size()) < trials) continue;
        const index best = best_trial(reach, trial);
        centroids_.row(k) = tokens_.row(batch[static_cast<std::size_t>(best)]);
        distance_ = distance_.cwiseMin(reach.col(best));
        trial.clear();
        ++k;
      }
      group.clear();
      for (const index i : trial) group.push_back(batch[static_cast<std::size_t>(i)]);
    }
  }

  [[nodiscard]] double uniform() { return counter_rng(options_.seed).uniform(position_++); }

  /// Sums of w_t d_t over the tokens up to each.
  [[nodiscard]] std::vector<double> running_shares() const {
    std::vector<double> result;
    double sum = 0;
    for (index t = 0; t < tokens_.rows(); ++t) result.push_back(sum += weight(t) * static_cast<double>(distance_[t]));
    return result;
  }

  /// A token, with the probability of its share.
  [[nodiscard]] index draw(const std::vector<double>& shares) {
    const auto token = std::upper_bound(shares.begin(), shares.end(), uniform() * shares.back());
    // A target lost to rounding takes the last token that may be drawn at all.
    return (token != shares.end() ? token : std::lower_bound(shares.begin(), shares.end(), shares.back())) -
           shares.begin();
  }

  [[nodiscard]] float squared_distance(index t, index k) const {
    return (tokens_.row(t) - centroids_.row(k)).squaredNorm();
  }

  /// Squared distances of all tokens from some of them [tokens x batch]. Where little is left of the squares, the
  /// difference is taken first: equal points are at distance 0 and so never drawn again.
  [[nodiscard]] matrix distances_from(const std::vector<index>& batch) const {
    const auto size = static_cast<index>(batch.size());
    matrix chosen(size, tokens_.cols());
    for (index i = 0; i < size; ++i) chosen.row(i) = tokens_.row(batch[static_cast<std::size_t>(i)]);
    const row_products<> products(chosen);
    matrix result(tokens_.rows(), size);
    for_each_block([&](index first, index count) {
      std::vector<index> block(static_cast<std::size_t>(count));
      std::iota(block.begin(), block.end(), first);
      for_each_product(products, block, [&](index t, const float* product) {
        for (index i = 0; i < size; ++i) {
          const index other = batch[static_cast<std::size_t>(i)];
          const float squares = square_[t] + square_[other];
          const float distance = squares - 2.0f * product[i];
          result(t, i) = distance > 1e-3f * squares ? distance : (tokens_.row(t) - tokens_.row(other)).squaredNorm();
        }
      });
    });
    return result;
  }

  /// The column of `reach` that leaves the least sum of weighted distances.
  [[nodiscard]] index best_trial(const matrix& reach, const std::vector<index>& trial) const {
    if (trial.size() == 1) return trial.front();
    std::vector<double> left(trial.size(), 0.0);
    for (index t = 0; t < tokens_.rows(); ++t) {
      const double share = weight(t);
      const auto row = reach.row(t);
      for (std::size_t i = 0; i < trial.size(); ++i) {
        left[i] += share * static_cast<double>((std::min)(distance_[t], row[trial[i]]));
      }
    }
    return trial[static_cast<std::size_t>(std::min_element(left.begin(), left.end()) - left.begin())];
  }

  /// Finds the nearest centroid of each token. Returns the inertia.
  double assign() {
    const Eigen::RowVectorXf half_square = 0.5f * centroids_.rowwise().squaredNorm().transpose();
    const row_products<> products(centroids_);
    for_each_block([&](index first, index count) {
      std::vector<index> unsure;
      for (index t = first; t < first + count; ++t) {
        if ((far_.row(t) - drift_).minCoeff() <= near_[t] + drift_[nearest(t)] || !is_finite(near_[t])) {
          unsure.push_back(t);
        }
      }
      Eigen::RowVectorXf half(options_.clusters);  // (||x - c_k||^2 - ||x||^2) / 2
      for_each_product(products, unsure, [&](index t, const float* product) {
        half = half_square - Eigen::Map<const Eigen::RowVectorXf>(product, options_.clusters);
        const float least = half.minCoeff(&nearest(t));
        const index k = nearest(t);
        far_.row(t) = (2.0f * half.array() + square_[t]).matrix().cwiseMax(0.0f).cwiseSqrt() + drift_;
        far_(t, k) = std::numeric_limits<float>::infinity();
        near_[t] = std::sqrt((std::max)(0.0f, square_[t] + 2.0f * least)) - drift_[k];
      });
    });
    sum_tokens();
    double inertia = energy_;
    for (index k = 0; k < options_.clusters; ++k) {
      const Eigen::RowVectorXd centroid = centroids_.row(k).template cast<double>();
      inertia -= 2.0 * sums_.row(k).dot(centroid) - totals_[static_cast<std::size_t>(k)] * centroid.squaredNorm();
    }
    return (std::max)(0.0, inertia);
  }

  /// Brings sums_ and totals_ up to date with nearest_.
  void sum_tokens() {
    const auto clusters = static_cast<std::size_t>(options_.clusters);
    totals_.assign(clusters, 0.0);
    std::vector<double> mass(clusters, 0.0);  // sum of w_t ||x_t||: the rounding errors of a sum are in proportion
    for (index t = 0; t < tokens_.rows(); ++t) {
      const auto k = static_cast<std::size_t>(nearest(t));
      totals_[k] += weight(t);
      mass[k] += weight(t) * std::sqrt(static_cast<double>(square_[t]));
    }
    // What a cluster once held leaves its rounding errors behind. One that shrank to a trifle is summed anew.
    std::vector<bool> anew(clusters);
    for (std::size_t k = 0; k < clusters; ++k) {
      anew[k] = mass[k] < 0x1p-10 * most_mass_[k];
      most_mass_[k] = anew[k] ? mass[k] : (std::max)(mass[k], most_mass_[k]);
    }
    struct term {
      index token, cluster;
      double weight;
    };
    std::vector<term> terms;
    for (index t = 0; t < tokens_.rows(); ++t) {
      if (weight(t) <= 0) continue;
      index& from = summed_[static_cast<std::size_t>(t)];
      const index to = nearest(t);
      if (from != to && from != not_summed && !anew[static_cast<std::size_t>(from)]) {
        terms.push_back({t, from, -weight(t)});
      }
      if (from != to || anew[static_cast<std::size_t>(to)]) terms.push_back({t, to, weight(t)});
      from = to;
    }
    for_each_column_block([&](index first, index columns) {
      for (index k = 0; k < options_.clusters; ++k) {
        if (anew[static_cast<std::size_t>(k)]) sums_.row(k).segment(first, columns).setZero();
      }
      for (const term& each : terms) {
        sums_.row(each.cluster).segment(first, columns) +=
            each.weight * tokens_.row(each.token).segment(first, columns).template cast<double>();
      }
    });
  }

  /// Puts each centroid at the weighted mean of its tokens.
  void move_centroids() {
    const bool any_empty = std::any_of(totals_.begin(), totals_.end(), [](double total) { return total <= 0; });
    if (any_empty) {
      for_each_block([&](index first, index count) {
        for (index t = first; t < first + count; ++t) distance_[t] = squared_distance(t, nearest(t));
      });
    }
    const matrix before = centroids_;
    for (index k = 0; k < options_.clusters; ++k) {
      const double total = totals_[static_cast<std::size_t>(k)];
      if (total > 0) {
        centroids_.row(k) = (sums_.row(k) / total).template cast<float>();
      } else {
        move_to_farthest(k);
      }
    }
    drift_ += (centroids_ - before).rowwise().norm().transpose();
  }

  void move_to_farthest(index k) {
    index farthest = 0;
    float most = 0;
    for (index t = 0; t < tokens_.rows(); ++t) {
      if (weight(t) > 0 && distance_[t] > most) {
        most = distance_[t];
        farthest = t;
      }
    }
    if (most <= 0) return;  // every point has a centroid of its own: the cluster stays empty
    centroids_.row(k) = tokens_.row(farthest);
    for_each_block([&](index first, index count) {  // the next empty cluster must not take a copy of the same token
      for (index t = first; t < first + count; ++t) distance_[t] = (std::min)(distance_[t], squared_distance(t, k));
    });
  }

  kmeans_options options_;
  executor_ref executor_;
  std::uint64_t position_ = 0;  // in the stream of random numbers
  Eigen::RowVectorXf mean_;
  matrix tokens_;  // [tokens x width], centred
  std::vector<float> weights_;
  Eigen::VectorXf square_;         // ||x||^2
  double energy_ = 0;              // sum of w ||x||^2
  matrix centroids_;               // [clusters x width], centred
  basic_matrix<double> sums_;      // [clusters x width] of w x, for the assignment in summed_
  std::vector<double> totals_;     // [clusters] of w
  std::vector<double> most_mass_;  // [clusters] since the cluster was last summed anew
  std::vector<index> summed_;      // [tokens] cluster whose sum it is part of
  std::vector<index> nearest_;     // [tokens]
  Eigen::VectorXf distance_;       // [tokens] squared, to the nearest centroid; for the seeding and empty clusters
  // Bounds. drift_[k] is how far centroid k has travelled in all; with its value D_k when a token was last measured,
  Eigen::VectorXf near_;  // [tokens] d(x, c_nearest) - D_nearest: at most near_ + drift_ by now
  matrix far_;  // [tokens x clusters] d(x, c_k) + D_k: at least far_ - drift_ by now; infinite for the nearest
  Eigen::RowVectorXf drift_;  // [clusters]
};

}  // namespace detail

/// Clusters the rows of X [tokens x width].
/// @param weights   one >= 0 per token, not all 0; empty for equal weights
/// @param observer  null for none; units are iterations, of which it may need fewer
/// @throws luq::error non_finite, invalid_argument, shape_mismatch, or insufficient_data without tokens
[[nodiscard]] inline kmeans_result kmeans(const matrix_view& X, const kmeans_options& options,
                                   std::span<const float> weights = {}, executor_ref executor = {},
                                   progress_observer* observer = nullptr) {
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
    finite[static_cast<std::size_t>(t)] = all_finite(X.row(t).data(), X.cols()) ? 1 : 0;
  });
  const auto bad = std::find(finite.begin(), finite.end(), std::uint8_t{0});
  if (bad != finite.end()) {
    fail(errc::non_finite, "k-means: token ", bad - finite.begin(), ": expected finite numbers, got a NaN or infinity");
  }
  return detail::kmeans_run(X, weights, options, executor).run(observer);
}

}  // namespace luq
