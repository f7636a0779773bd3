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

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <vector>

#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/core/executor.hpp"
#include "luq/core/matrix_view.hpp"
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
  explicit activation_entropy(index width, const activation_entropy_options& options = {});

  /// Adds outputs of consecutive tokens of one sequence.
  /// @param X         [tokens x width]
  /// @param classes   one per token
  /// @param sequence  number of the sequence, unique in the stream
  /// @param first     position of the first of these tokens in the sequence
  /// @throws luq::error shape_mismatch, non_finite naming the token; nothing is added then
  void add(const matrix_view& X, std::span<const token_class> classes, std::uint64_t sequence, std::uint64_t first = 0);

  /// Adds what another accumulator of the same layer and options has seen.
  void merge(const activation_entropy& other);

  /// Tokens seen of a class; of padding none.
  [[nodiscard]] index tokens(token_class kind) const;

  /// @throws luq::error insufficient_data with fewer tokens than clusters
  [[nodiscard]] layer_entropy estimate(executor_ref executor = {}) const;

 private:
  [[nodiscard]] entropy_estimate estimate_of(std::initializer_list<const token_reservoir*> reservoirs,
                                             executor_ref executor) const;

  /// Entropies of the labels of tokens drawn with replacement, each less the mean of all: plug-in estimates of
  /// resamples are biased low like the estimate itself, so only their spread is used.
  void append_resamples(const kmeans_result& clusters, std::vector<double>& deviations) const;

  activation_entropy_options options_;
  token_reservoir text_;
  token_reservoir image_;
};

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/estimators/impl/activation_entropy.hpp"
#endif
