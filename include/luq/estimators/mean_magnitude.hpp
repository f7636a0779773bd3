// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The mean magnitude of each input of a linear, m_c = sum_t lambda_t |x_tc| / sum_t lambda_t: the statistic by which
// AWQ (Lin et al., MLSys 2024, section 3.2) tells salient input columns. Unlike sqrt(H_cc), the root mean square, it is
// not ruled by a few tokens of great size. Sums are in double, token by token.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "luq/core/error.hpp"
#include "luq/core/executor.hpp"
#include "luq/core/matrix_view.hpp"
#include "luq/estimators/detail/token_weights.hpp"
#include "luq/estimators/token_class.hpp"

namespace luq {

/// Accumulates the mean magnitudes of the inputs of one linear. Adding a stream in parts and merging the parts gives
/// the same means within rounding.
class mean_magnitude {
 public:
  explicit mean_magnitude(index in_features) : sum_(static_cast<std::size_t>(in_features), 0.0) {}

  /// Adds tokens X [tokens x in], each with weight 1.
  /// @throws luq::error shape_mismatch, non_finite naming the token; nothing is added then
  void add(const matrix_view& X, executor_ref executor = {}) {
    add_weighted(X, detail::token_weights(X.rows()), executor);
  }

  /// Adds tokens with weights lambda [tokens], finite and >= 0. A token of weight 0 does not count.
  void add(const matrix_view& X, std::span<const float> lambda, executor_ref executor = {}) {
    add_weighted(X, detail::token_weights("mean magnitude", X.rows(), lambda), executor);
  }

  /// Adds the tokens that are not padding.
  void add(const matrix_view& X, std::span<const token_class> classes, executor_ref executor = {}) {
    add_weighted(X, detail::token_weights("mean magnitude", X.rows(), classes), executor);
  }

  /// Adds what another accumulator of the same linear has seen.
  void merge(const mean_magnitude& other) {
    if (other.in_features() != in_features()) {
      fail(errc::shape_mismatch, "mean magnitude merge: expected ", in_features(), " inputs, got ",
           other.in_features());
    }
    for (std::size_t c = 0; c < sum_.size(); ++c) sum_[c] += other.sum_[c];
    tokens_ += other.tokens_;
    weight_ += other.weight_;
  }

  [[nodiscard]] index in_features() const { return static_cast<index>(sum_.size()); }

  /// Tokens of positive weight seen so far.
  [[nodiscard]] index tokens() const { return tokens_; }

  /// m_c for each input; zero before the first token.
  [[nodiscard]] std::vector<float> values() const {
    std::vector<float> result(sum_.size(), 0.0f);
    if (!(weight_ > 0)) return result;
    for (std::size_t c = 0; c < sum_.size(); ++c) result[c] = static_cast<float>(sum_[c] / weight_);
    return result;
  }

 private:
  static constexpr index strip = 256;  // columns of one task

  void add_weighted(const matrix_view& X, const detail::token_weights& lambda, executor_ref executor) {
    if (X.cols() != in_features()) {
      fail(errc::shape_mismatch, "mean magnitude: expected activations of ", in_features(), " features, got ",
           X.cols());
    }
    lambda.require_finite("mean magnitude", X, executor);
    executor.parallel_for((in_features() + strip - 1) / strip, [&](index task) {
      const index first = task * strip;
      const index columns = (std::min)(strip, in_features() - first);
      Eigen::Map<Eigen::Array<double, 1, Eigen::Dynamic>> sum(sum_.data() + first, columns);
      for (index t = 0; t < X.rows(); ++t) {
        if (!(lambda[t] > 0.0f)) continue;
        sum += static_cast<double>(lambda[t]) * X.row(t).segment(first, columns).array().abs().cast<double>();
      }
    });
    for (index t = 0; t < X.rows(); ++t) {
      if (!(lambda[t] > 0.0f)) continue;
      ++tokens_;
      weight_ += static_cast<double>(lambda[t]);
    }
  }

  std::vector<double> sum_;
  index tokens_ = 0;
  double weight_ = 0;
};

}  // namespace luq
