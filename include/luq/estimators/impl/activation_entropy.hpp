// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>

#include "luq/core/all_finite.hpp"
#include "luq/core/detail/row_pointer.hpp"
#include "luq/core/error.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/core/random.hpp"
#include "luq/estimators/activation_entropy.hpp"
#include "luq/estimators/entropy.hpp"

namespace luq {

LUQ_INLINE activation_entropy::activation_entropy(index width, const activation_entropy_options& options)
    : options_(options),
      text_(width, options.capacity, options.sample_seed),
      image_(width, options.capacity, options.sample_seed) {
  if (options.clustering.clusters < 1 || options.capacity < options.clustering.clusters || options.seeds < 1 ||
      options.resamples < 1 || !is_finite(options.confidence) || options.confidence <= 0 || options.confidence >= 1) {
    fail(errc::invalid_argument, "activation entropy: expected 1 <= clusters <= capacity, seeds >= 1, resamples >= 1 ",
         "and confidence in (0, 1), got ", options.clustering.clusters, ", ", options.capacity, ", ", options.seeds,
         ", ", options.resamples, " and ", options.confidence);
  }
}

LUQ_INLINE void activation_entropy::add(const matrix_view& X, std::span<const token_class> classes,
                                        std::uint64_t sequence, std::uint64_t first) {
  if (X.cols() != text_.width() || static_cast<index>(classes.size()) != X.rows()) {
    fail(errc::shape_mismatch, "activation entropy: expected ", classes.size(), " x ", text_.width(), " outputs, got ",
         X.rows(), " x ", X.cols());
  }
  for (index t = 0; t < X.rows(); ++t) {
    if (classes[static_cast<std::size_t>(t)] != token_class::padding &&
        !all_finite(detail::row_pointer(X, t), X.cols())) {
      fail(errc::non_finite, "activation entropy: outputs of token ", t, " of sequence ", sequence,
           ": expected finite numbers, got a NaN or infinity");
    }
  }
  for (index t = 0; t < X.rows(); ++t) {
    const token_class kind = classes[static_cast<std::size_t>(t)];
    if (kind == token_class::padding) continue;
    token_reservoir& reservoir = kind == token_class::text ? text_ : image_;
    reservoir.add({sequence, first + static_cast<std::uint64_t>(t)}, detail::row_pointer(X, t));
  }
}

LUQ_INLINE void activation_entropy::merge(const activation_entropy& other) {
  text_.merge(other.text_);
  image_.merge(other.image_);
}

LUQ_INLINE index activation_entropy::tokens(token_class kind) const {
  return kind == token_class::text ? text_.seen() : kind == token_class::image ? image_.seen() : 0;
}

LUQ_INLINE layer_entropy activation_entropy::estimate(executor_ref executor) const {
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

LUQ_INLINE entropy_estimate activation_entropy::estimate_of(std::initializer_list<const token_reservoir*> reservoirs,
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

LUQ_INLINE void activation_entropy::append_resamples(const kmeans_result& clusters,
                                                     std::vector<double>& deviations) const {
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

}  // namespace luq
