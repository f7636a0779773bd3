// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// LUQ's measure of how simple a layer is (arXiv 2509.23729, section 3): the entropy of the layer's output vectors over
// the clusters of a k-means,
//
//   H = -sum_k p_k log2 p_k,    p_k = share of tokens in cluster k,    0 <= H <= log2 K
//
// for all tokens together, and for the text tokens and the image tokens each under a clustering of its own (one
// clustering of the mix would say how the classes share clusters, not how varied a class is). It is the entropy of a
// histogram of labels: rotations and scalings of the outputs do not change it, and it is not a differential entropy.
//
// Neighbouring layers differ by a few thousandths of a bit, about what sampling does, so an estimate comes with its
// spread: the mean over several seedings of the k-means, their standard deviation, and an interval.
//
// Memory is bounded: of each class, a reservoir keeps the tokens of smallest hash (token_reservoir.hpp), the same
// tokens for every layer. Padding never counts.
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <vector>

#include "luq/core/all_finite.hpp"
#include "luq/core/error.hpp"
#include "luq/core/executor.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/core/matrix_view.hpp"
#include "luq/core/random.hpp"
#include "luq/estimators/entropy.hpp"
#include "luq/estimators/kmeans.hpp"
#include "luq/estimators/token_class.hpp"
#include "luq/estimators/token_reservoir.hpp"

namespace luq {

struct activation_entropy_options {
  index capacity = 16384;          ///< tokens kept of each class, and used for an estimate, >= clusters
  kmeans_options clustering = {};  ///< its seed is the first of the seeds
  int seeds = 3;                   ///< clusterings averaged, >= 1
  int resamples = 100;             ///< bootstrap resamples of each clustering, >= 1
  double confidence = 0.95;        ///< of the interval, in (0, 1)
  std::uint64_t sample_seed = 0;   ///< of the reservoir's hash
};

/// An entropy in bits, and how sure it is.
struct entropy_estimate {
  double bits = 0;            ///< plug-in, mean over the seeds
  double miller_madow = 0;    ///< corrected for the bias of few tokens, mean over the seeds
  double seed_deviation = 0;  ///< standard deviation over the seeds; 0 for one seed
  double low = 0;             ///< interval around `bits`: spread of a bootstrap of the tokens under fixed clusters,
  double high = 0;            ///< and of the seeds, pooled
  index tokens = 0;           ///< tokens it rests on
};

/// The three entropies of a layer. A class with fewer tokens than clusters has none.
struct layer_entropy {
  entropy_estimate all;
  std::optional<entropy_estimate> text;
  std::optional<entropy_estimate> image;
};

/// Accumulates the outputs of one layer. Splitting a stream and merging the parts gives exactly the same estimate.
class activation_entropy {
 public:
  /// @throws luq::error invalid_argument for options outside their range
  explicit activation_entropy(index width, const activation_entropy_options& options = {})
      : options_(options),
        text_(width, options.capacity, options.sample_seed),
        image_(width, options.capacity, options.sample_seed) {
    if (options.clustering.clusters < 1 || options.capacity < options.clustering.clusters || options.seeds < 1 ||
        options.resamples < 1 || !is_finite(options.confidence) || options.confidence <= 0 || options.confidence >= 1) {
      fail(errc::invalid_argument,
           "activation entropy: expected 1 <= clusters <= capacity, seeds >= 1, resamples >= 1 ",
           "and confidence in (0, 1), got ", options.clustering.clusters, ", ", options.capacity, ", ", options.seeds,
           ", ", options.resamples, " and ", options.confidence);
    }
  }

  /// Adds outputs of consecutive tokens of one sequence.
  /// @param X         [tokens x width]
  /// @param classes   one per token
  /// @param sequence  number of the sequence, unique in the stream
  /// @param first     position of the first of these tokens in the sequence
  /// @throws luq::error shape_mismatch, non_finite naming the token; nothing is added then
  void add(const matrix_view& X, std::span<const token_class> classes, std::uint64_t sequence,
           std::uint64_t first = 0) {
    if (X.cols() != text_.width() || static_cast<index>(classes.size()) != X.rows()) {
      fail(errc::shape_mismatch, "activation entropy: expected ", classes.size(), " x ", text_.width(),
           " outputs, got ", X.rows(), " x ", X.cols());
    }
    for (index t = 0; t < X.rows(); ++t) {
      if (classes[static_cast<std::size_t>(t)] != token_class::padding && !all_finite(X.row(t).data(), X.cols())) {
        fail(errc::non_finite, "activation entropy: outputs of token ", t, " of sequence ", sequence,
             ": expected finite numbers, got a NaN or infinity");
      }
    }
    for (index t = 0; t < X.rows(); ++t) {
      const token_class kind = classes[static_cast<std::size_t>(t)];
      if (kind == token_class::padding) continue;
      token_reservoir& reservoir = kind == token_class::text ? text_ : image_;
      reservoir.add({sequence, first + static_cast<std::uint64_t>(t)}, X.row(t).data());
    }
  }

  /// Adds what another accumulator of the same layer and options has seen.
  void merge(const activation_entropy& other) {
    text_.merge(other.text_);
    image_.merge(other.image_);
  }

  /// Tokens seen of a class; of padding none.
  [[nodiscard]] index tokens(token_class kind) const {
    return kind == token_class::text ? text_.seen() : kind == token_class::image ? image_.seen() : 0;
  }

  /// @throws luq::error insufficient_data with fewer tokens than clusters
  [[nodiscard]] layer_entropy estimate(executor_ref executor = {}) const {
    const index kept = (std::min)(options_.capacity, text_.size() + image_.size());
    if (kept < options_.clustering.clusters) {
      fail(errc::insufficient_data, "activation entropy: expected at least ", options_.clustering.clusters,
           " tokens, one per cluster, got ", kept);
    }
    layer_entropy result;
    result.all = estimate_of({&text_, &image_}, executor);
    if (text_.size() >= options_.clustering.clusters) result.text = estimate_of({&text_}, executor);
    if (image_.size() >= options_.clustering.clusters) result.image = estimate_of({&image_}, executor);
    return result;
  }

 private:
  [[nodiscard]] entropy_estimate estimate_of(std::initializer_list<const token_reservoir*> reservoirs,
                                             executor_ref executor) const {
    const matrix X = token_reservoir::smallest(reservoirs, options_.capacity);
    entropy_estimate result;
    result.tokens = X.rows();
    std::vector<double> by_seed;
    std::vector<double> deviations;  // of the resamples from their own mean
    for (int s = 0; s < options_.seeds; ++s) {
      kmeans_options clustering = options_.clustering;
      clustering.seed += static_cast<std::uint64_t>(s);
      const kmeans_result clusters = kmeans(X, clustering, {}, executor);
      by_seed.push_back(plug_in_entropy(clusters.weights));
      result.bits += by_seed.back() / options_.seeds;
      result.miller_madow += miller_madow_entropy(clusters.weights) / options_.seeds;
      append_resamples(clusters, deviations);
    }
    if (options_.seeds > 1) {
      double squares = 0;
      for (const double bits : by_seed) squares += (bits - result.bits) * (bits - result.bits);
      result.seed_deviation = std::sqrt(squares / (options_.seeds - 1));
    }
    std::vector<double> spread;
    for (std::size_t i = 0; i < deviations.size(); ++i) {
      const std::size_t seed = i / static_cast<std::size_t>(options_.resamples);
      spread.push_back(deviations[i] + by_seed[seed] - result.bits);
    }
    std::sort(spread.begin(), spread.end());
    const double tail = (1 - options_.confidence) / 2;
    const auto last = static_cast<double>(spread.size() - 1);
    result.low = result.bits + spread[static_cast<std::size_t>(std::lround(tail * last))];
    result.high = result.bits + spread[static_cast<std::size_t>(std::lround((1 - tail) * last))];
    return result;
  }

  /// Entropies of the labels of tokens drawn with replacement, each less the mean of all: plug-in estimates of
  /// resamples are biased low like the estimate itself, so only their spread is used.
  void append_resamples(const kmeans_result& clusters, std::vector<double>& deviations) const {
    const std::size_t tokens = clusters.assignment.size();
    const std::size_t begin = deviations.size();
    double mean = 0;
    for (int b = 0; b < options_.resamples; ++b) {
      const counter_rng rng(options_.sample_seed + 1, static_cast<std::uint64_t>(b));
      std::vector<double> counts(clusters.weights.size(), 0.0);
      for (std::size_t t = 0; t < tokens; ++t) {
        counts[static_cast<std::size_t>(clusters.assignment[rng.below(t, tokens)])] += 1;
      }
      deviations.push_back(plug_in_entropy(counts));
      mean += deviations.back() / options_.resamples;
    }
    for (std::size_t i = begin; i < deviations.size(); ++i) deviations[i] -= mean;
  }

  activation_entropy_options options_;
  token_reservoir text_;
  token_reservoir image_;
};

}  // namespace luq
