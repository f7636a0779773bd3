// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The mean magnitude of each input of a linear, m_c = sum_t lambda_t |x_tc| / sum_t lambda_t: the statistic by which
// AWQ (Lin et al., MLSys 2024, section 3.2) tells salient input columns. Unlike sqrt(H_cc), the root mean square, it is
// not ruled by a few tokens of great size. Sums are in double, token by token.
#pragma once

#include <span>
#include <vector>

#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/core/executor.hpp"
#include "luq/core/matrix_view.hpp"
#include "luq/estimators/token_class.hpp"

namespace luq {

/// Accumulates the mean magnitudes of the inputs of one linear. Adding a stream in parts and merging the parts gives
/// the same means within rounding.
class mean_magnitude {
 public:
  explicit mean_magnitude(index in_features) : sum_(static_cast<std::size_t>(in_features), 0.0) {}

  /// Adds tokens X [tokens x in], each with weight 1.
  /// @throws luq::error shape_mismatch, non_finite naming the token; nothing is added then
  void add(const matrix_view& X, executor_ref executor = {});

  /// Adds tokens with weights lambda [tokens], finite and >= 0. A token of weight 0 does not count.
  void add(const matrix_view& X, std::span<const float> lambda, executor_ref executor = {});

  /// Adds the tokens that are not padding.
  void add(const matrix_view& X, std::span<const token_class> classes, executor_ref executor = {});

  /// Adds what another accumulator of the same linear has seen.
  void merge(const mean_magnitude& other);

  [[nodiscard]] index in_features() const { return static_cast<index>(sum_.size()); }

  /// Tokens of positive weight seen so far.
  [[nodiscard]] index tokens() const { return tokens_; }

  /// m_c for each input; zero before the first token.
  [[nodiscard]] std::vector<float> values() const;

 private:
  void add_weighted(const matrix_view& X, const std::vector<float>& lambda, executor_ref executor);

  std::vector<double> sum_;
  index tokens_ = 0;
  double weight_ = 0;
};

/// The size of each input as H [in x in] knows it, sqrt(H_cc): a substitute for the mean magnitude where the
/// activations are gone. The scale of H stays in it.
[[nodiscard]] std::vector<float> input_magnitude(const matrix_view& H);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/estimators/impl/mean_magnitude.hpp"
#endif
