// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <vector>
#include <xsimd/xsimd.hpp>

#include "luq/core/aligned_buffer.hpp"
#include "luq/core/all_finite.hpp"
#include "luq/core/detail/row_operations.hpp"
#include "luq/core/detail/row_pointer.hpp"
#include "luq/core/error.hpp"
#include "luq/core/executor.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/core/matrix_view.hpp"
#include "luq/core/progress.hpp"
#include "luq/core/random.hpp"
#include "luq/estimators/detail/row_products.hpp"
#include "luq/estimators/kmeans.hpp"

namespace luq {
namespace detail {

/// One clustering in progress. Tokens are centred on their mean.
class kmeans_run {
 public:
  kmeans_run(const matrix_view& X, std::span<const float> weights, const kmeans_options& options, executor_ref executor)
      : options_(options),
        executor_(executor),
        mean_(static_cast<std::size_t>(X.cols())),
        tokens_(X.rows(), X.cols()),
        weights_(weights.begin(), weights.end()),
        square_(static_cast<std::size_t>(X.rows())),
        centroids_(options.clusters, X.cols()),
        sums_(static_cast<std::size_t>(options.clusters * X.cols()), 0.0),
        totals_(static_cast<std::size_t>(options.clusters), 0.0),
        most_mass_(static_cast<std::size_t>(options.clusters), 0.0),
        summed_(static_cast<std::size_t>(X.rows()), not_summed),
        nearest_(static_cast<std::size_t>(X.rows()), 0),
        distance_(static_cast<std::size_t>(X.rows())),
        padded_(row_products<>::padded(options.clusters)),
        near_(static_cast<std::size_t>(X.rows()), infinity),
        far_(static_cast<std::size_t>(X.rows() * padded_), infinity),
        drift_(static_cast<std::size_t>(padded_), 0.0f) {
    if (weights_.empty()) weights_.assign(static_cast<std::size_t>(X.rows()), 1.0f);
    for_each_column_block([&](index first, index columns) {
      std::vector<double> sum(static_cast<std::size_t>(columns), 0.0);
      for (index t = 0; t < X.rows(); ++t) add_row(1.0, row_pointer(X, t) + first, columns, sum.data());
      for (index c = 0; c < columns; ++c) {
        mean_[static_cast<std::size_t>(first + c)] =
            static_cast<float>(sum[static_cast<std::size_t>(c)] / static_cast<double>(X.rows()));
      }
    });
    std::vector<double> energies(static_cast<std::size_t>(X.rows()));
    for_each_block([&](index first, index count) {
      for (index t = first; t < first + count; ++t) {
        const float* const x = row_pointer(X, t);
        float* const centred = row_pointer(tokens_, t);
        for (index c = 0; c < X.cols(); ++c) centred[c] = x[c] - mean_[static_cast<std::size_t>(c)];
        const double square = squared_norm(centred, X.cols());
        square_[static_cast<std::size_t>(t)] = static_cast<float>(square);
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
    result.centroids.resize(centroids_.rows(), centroids_.cols());
    for (index k = 0; k < centroids_.rows(); ++k) {
      const float* const centred = row_pointer(centroids_, k);
      float* const centroid = row_pointer(result.centroids, k);
      for (index c = 0; c < centroids_.cols(); ++c) centroid[c] = centred[c] + mean_[static_cast<std::size_t>(c)];
    }
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
  static constexpr float infinity = std::numeric_limits<float>::infinity();

  using batch = xsimd::batch<float>;
  static constexpr index lanes = static_cast<index>(batch::size);

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
        rows.push_back(row_pointer(tokens_, tokens[i]));
      }
      C(rows.data(), static_cast<index>(rows.size()), products.data());
      for (std::size_t i = 0; i < rows.size(); ++i) {
        task(tokens[first + i], products.data() + static_cast<index>(i) * C.stride());
      }
    }
  }

  [[nodiscard]] double weight(index t) const { return static_cast<double>(weights_[static_cast<std::size_t>(t)]); }
  [[nodiscard]] float square(index t) const { return square_[static_cast<std::size_t>(t)]; }
  [[nodiscard]] index& nearest(index t) { return nearest_[static_cast<std::size_t>(t)]; }
  [[nodiscard]] float& distance(index t) { return distance_[static_cast<std::size_t>(t)]; }
  [[nodiscard]] float distance(index t) const { return distance_[static_cast<std::size_t>(t)]; }

  /// sum += factor x
  static void add_row(double factor, const float* x, index width, double* sum) {
    for (index c = 0; c < width; ++c) sum[c] += factor * static_cast<double>(x[c]);
  }

  void move_centroid_to_token(index k, index t) {
    std::copy_n(row_pointer(tokens_, t), tokens_.cols(), row_pointer(centroids_, k));
  }

  /// k-means++: each centroid is a token drawn with probability proportional to its weight times its squared distance
  /// from the centroids before it (for the first, to its weight). Of several tokens drawn so, that one is kept which
  /// leaves the least sum of weighted distances.
  void seed_centroids() {
    std::fill(distance_.begin(), distance_.end(), 1.0f);
    move_centroid_to_token(0, draw(running_shares()));
    for_each_block([&](index first, index count) {
      for (index t = first; t < first + count; ++t) distance(t) = distance_from_centroid(t, 0);
    });
    const auto trials = options_.trials > 0 ? options_.trials
                                            : 2 + static_cast<index>(std::log(static_cast<double>(options_.clusters)));
    std::vector<index> group;  // tokens drawn for centroid k
    for (index k = 1; k < options_.clusters;) {
      const std::vector<double> shares = running_shares();
      if (shares.back() <= 0) {  // every point has a centroid of its own
        for (; k < options_.clusters; ++k) {
          std::copy_n(centroids_.data(), centroids_.cols(), row_pointer(centroids_, k));
        }
        return;
      }
      const index size = (std::min)((std::max)(candidate_batch, trials), (options_.clusters - k) * trials);
      const auto drawn = static_cast<index>(group.size());
      std::vector<index> batch = group;
      while (static_cast<index>(batch.size()) < size) batch.push_back(draw(shares));
      const matrix reach = distances_from(batch);  // [tokens x batch]
      const std::vector<float> before = distance_;
      std::vector<index> trial;  // of the group, by its column of `reach`
      for (index i = 0; i < size; ++i) {
        const index token = batch[static_cast<std::size_t>(i)];
        const double taken = i < drawn ? 0.0 : uniform() * static_cast<double>(before[static_cast<std::size_t>(token)]);
        if (taken >= static_cast<double>(distance(token)) && i >= drawn) continue;
        trial.push_back(i);
        if (static_cast<index>(trial.size()) < trials) continue;
        const index best = best_trial(reach, trial);
        move_centroid_to_token(k, batch[static_cast<std::size_t>(best)]);
        for (index t = 0; t < tokens_.rows(); ++t) distance(t) = (std::min)(distance(t), row_pointer(reach, t)[best]);
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
    for (index t = 0; t < tokens_.rows(); ++t) result.push_back(sum += weight(t) * static_cast<double>(distance(t)));
    return result;
  }

  /// A token, with the probability of its share.
  [[nodiscard]] index draw(const std::vector<double>& shares) {
    const auto token = std::upper_bound(shares.begin(), shares.end(), uniform() * shares.back());
    // A target lost to rounding takes the last token that may be drawn at all.
    return (token != shares.end() ? token : std::lower_bound(shares.begin(), shares.end(), shares.back())) -
           shares.begin();
  }

  [[nodiscard]] float distance_from_centroid(index t, index k) const {
    return squared_distance(row_pointer(tokens_, t), row_pointer(centroids_, k), tokens_.cols());
  }

  /// Squared distances of all tokens from some of them [tokens x batch]. Where little is left of the squares, the
  /// difference is taken first: equal points are at distance 0 and so never drawn again.
  [[nodiscard]] matrix distances_from(const std::vector<index>& batch) const {
    const auto size = static_cast<index>(batch.size());
    matrix chosen(size, tokens_.cols());
    for (index i = 0; i < size; ++i) {
      std::copy_n(row_pointer(tokens_, batch[static_cast<std::size_t>(i)]), tokens_.cols(), row_pointer(chosen, i));
    }
    const row_products<> products(chosen);
    matrix result(tokens_.rows(), size);
    for_each_block([&](index first, index count) {
      std::vector<index> block(static_cast<std::size_t>(count));
      std::iota(block.begin(), block.end(), first);
      for_each_product(products, block, [&](index t, const float* product) {
        float* const row = row_pointer(result, t);
        for (index i = 0; i < size; ++i) {
          const index other = batch[static_cast<std::size_t>(i)];
          const float squares = square(t) + square(other);
          row[i] = squares - 2.0f * product[i];
          if (row[i] > 1e-3f * squares) continue;
          row[i] = squared_distance(row_pointer(tokens_, t), row_pointer(tokens_, other), tokens_.cols());
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
      const float* const row = row_pointer(reach, t);
      for (std::size_t i = 0; i < trial.size(); ++i) {
        left[i] += share * static_cast<double>((std::min)(distance(t), row[trial[i]]));
      }
    }
    return trial[static_cast<std::size_t>(std::min_element(left.begin(), left.end()) - left.begin())];
  }

  /// Finds the nearest centroid of each token. Returns the inertia.
  double assign() {
    aligned_buffer<float> half_square(static_cast<std::size_t>(padded_), infinity);
    for (index k = 0; k < options_.clusters; ++k) {
      half_square[static_cast<std::size_t>(k)] =
          static_cast<float>(0.5 * squared_norm(row_pointer(centroids_, k), centroids_.cols()));
    }
    const row_products<> products(centroids_);
    for_each_block([&](index first, index count) {
      std::vector<index> unsure;
      for (index t = first; t < first + count; ++t) {
        if (!is_surely_nearest(t)) unsure.push_back(t);
      }
      for_each_product(products, unsure, [&](index t, const float* product) { measure(t, product, half_square); });
    });
    sum_tokens();
    double inertia = energy_;
    const index width = tokens_.cols();
    for (index k = 0; k < options_.clusters; ++k) {
      const float* const centroid = row_pointer(centroids_, k);
      const double* const sum = sums_.data() + k * width;
      double product = 0;
      for (index c = 0; c < width; ++c) product += sum[c] * static_cast<double>(centroid[c]);
      inertia -= 2.0 * product - totals_[static_cast<std::size_t>(k)] * squared_norm(centroid, width);
    }
    return (std::max)(0.0, inertia);
  }

  /// Whether the bounds tell that no centroid is as near to token t as the one it has.
  [[nodiscard]] bool is_surely_nearest(index t) {
    const float own = near_[static_cast<std::size_t>(t)];
    if (!is_finite(own)) return false;
    const float* const others = far_.data() + t * padded_;
    batch least(infinity);
    for (index k = 0; k < padded_; k += lanes) {
      least = (xsimd::min)(least, batch::load_aligned(others + k) - batch::load_aligned(drift_.data() + k));
    }
    return xsimd::all(least > batch(own + drift_[static_cast<std::size_t>(nearest(t))]));
  }

  /// Finds the centroid nearest to token t, and bounds from its products with all of them.
  void measure(index t, const float* product, const aligned_buffer<float>& half_square) {
    // half = (||x - c_k||^2 - ||x||^2) / 2, infinite beyond the last centroid
    float least = infinity;
    index k = 0;
    for (index i = 0; i < options_.clusters; ++i) {
      const float half = half_square[static_cast<std::size_t>(i)] - product[i];
      if (half < least) {
        least = half;
        k = i;
      }
    }
    float* const others = far_.data() + t * padded_;
    for (index i = 0; i < padded_; i += lanes) {
      const batch half = batch::load_aligned(half_square.data() + i) - batch::load_aligned(product + i);
      const batch squared = (xsimd::max)(half + half + batch(square(t)), batch(0.0f));
      (xsimd::sqrt(squared) + batch::load_aligned(drift_.data() + i)).store_aligned(others + i);
    }
    others[k] = infinity;
    nearest(t) = k;
    near_[static_cast<std::size_t>(t)] =
        std::sqrt((std::max)(0.0f, square(t) + 2.0f * least)) - drift_[static_cast<std::size_t>(k)];
  }

  /// Brings sums_ and totals_ up to date with nearest_.
  void sum_tokens() {
    const auto clusters = static_cast<std::size_t>(options_.clusters);
    totals_.assign(clusters, 0.0);
    std::vector<double> mass(clusters, 0.0);  // sum of w_t ||x_t||: the rounding errors of a sum are in proportion
    for (index t = 0; t < tokens_.rows(); ++t) {
      const auto k = static_cast<std::size_t>(nearest(t));
      totals_[k] += weight(t);
      mass[k] += weight(t) * std::sqrt(static_cast<double>(square(t)));
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
      const auto sum_of = [&](index k) { return sums_.data() + k * tokens_.cols() + first; };
      for (index k = 0; k < options_.clusters; ++k) {
        if (anew[static_cast<std::size_t>(k)]) std::fill_n(sum_of(k), columns, 0.0);
      }
      for (const term& each : terms) {
        add_row(each.weight, row_pointer(tokens_, each.token) + first, columns, sum_of(each.cluster));
      }
    });
  }

  /// Puts each centroid at the weighted mean of its tokens.
  void move_centroids() {
    const bool any_empty = std::any_of(totals_.begin(), totals_.end(), [](double total) { return total <= 0; });
    if (any_empty) {
      for_each_block([&](index first, index count) {
        for (index t = first; t < first + count; ++t) distance(t) = distance_from_centroid(t, nearest(t));
      });
    }
    const matrix before = centroids_;
    for (index k = 0; k < options_.clusters; ++k) {
      const double total = totals_[static_cast<std::size_t>(k)];
      if (total > 0) {
        const double* const sum = sums_.data() + k * tokens_.cols();
        float* const centroid = row_pointer(centroids_, k);
        for (index c = 0; c < tokens_.cols(); ++c) centroid[c] = static_cast<float>(sum[c] / total);
      } else {
        move_to_farthest(k);
      }
    }
    for (index k = 0; k < options_.clusters; ++k) {
      drift_[static_cast<std::size_t>(k)] +=
          std::sqrt(squared_distance(row_pointer(centroids_, k), row_pointer(before, k), tokens_.cols()));
    }
  }

  void move_to_farthest(index k) {
    index farthest = 0;
    float most = 0;
    for (index t = 0; t < tokens_.rows(); ++t) {
      if (weight(t) > 0 && distance(t) > most) {
        most = distance(t);
        farthest = t;
      }
    }
    if (most <= 0) return;  // every point has a centroid of its own: the cluster stays empty
    move_centroid_to_token(k, farthest);
    for_each_block([&](index first, index count) {  // the next empty cluster must not take a copy of the same token
      for (index t = first; t < first + count; ++t) {
        distance(t) = (std::min)(distance(t), distance_from_centroid(t, k));
      }
    });
  }

  kmeans_options options_;
  executor_ref executor_;
  std::uint64_t position_ = 0;  // in the stream of random numbers
  std::vector<float> mean_;
  matrix tokens_;  // [tokens x width], centred
  std::vector<float> weights_;
  std::vector<float> square_;      // ||x||^2
  double energy_ = 0;              // sum of w ||x||^2
  matrix centroids_;               // [clusters x width], centred
  std::vector<double> sums_;       // [clusters x width] of w x, for the assignment in summed_
  std::vector<double> totals_;     // [clusters] of w
  std::vector<double> most_mass_;  // [clusters] since the cluster was last summed anew
  std::vector<index> summed_;      // [tokens] cluster whose sum it is part of
  std::vector<index> nearest_;     // [tokens]
  std::vector<float> distance_;    // [tokens] squared, to the nearest centroid; for the seeding and empty clusters
  index padded_;                   // clusters, rounded up to whole vectors
  // Bounds. drift_[k] is how far centroid k has travelled in all; with its value D_k when a token was last measured,
  std::vector<float> near_;      // [tokens] d(x, c_nearest) - D_nearest: at most near_ + drift_ by now
  aligned_buffer<float> far_;    // [tokens x padded] d(x, c_k) + D_k: at least far_ - drift_ by now; infinite for the
                                 // nearest, and beyond the last
  aligned_buffer<float> drift_;  // [padded]
};

}  // namespace detail

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
