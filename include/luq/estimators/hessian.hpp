// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The Hessian of a linear layer's squared output error with respect to one row of its weights, from the layer's inputs
// x_t and token weights lambda_t >= 0 (all 1 unless given):
//
//   H = 2 / (sum_t lambda_t)  sum_t lambda_t x_t x_t^T        [in x in]
//
// since the error of a row e is sum_t lambda_t (e^T x_t)^2 (Frantar et al., GPTQ, ICLR 2023, section 3). Published code
// divides by the number of *sequences*, not by the total weight; the factor cancels wherever damping is relative.
//
// Tokens enter as rank updates with sqrt(lambda) x, block by block of 256, in float. Of sum_t lambda_t |x_ti x_tj|, an
// entry is off by at most (256 + blocks) * 2^-24, blocks = ceil(tokens / 256) of each add() and one for each merge():
// 8e-5 for 262 144 tokens, and in practice far less, because roundings have either sign. Double would take twice the
// memory of the largest object of a quantization run.
#pragma once

#include <span>
#include <vector>

#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/core/executor.hpp"
#include "luq/core/matrix_view.hpp"
#include "luq/estimators/token_class.hpp"

namespace luq {

/// Accumulates the Hessian of one linear layer. Adding a stream in parts and merging the parts gives the same matrix
/// within rounding.
class hessian {
 public:
  explicit hessian(index in_features);

  /// An accumulator that goes on from sums made elsewhere.
  /// @param sum     [in x in] sum of lambda x x^T, of which the lower triangle is taken
  /// @param tokens  of positive weight
  /// @param weight  sum of their weights
  /// @throws luq::error shape_mismatch unless it is square, non_finite if an element is, invalid_argument for a
  /// negative
  ///   number of tokens or weight
  [[nodiscard]] static hessian from_sum(basic_matrix<float> sum, index tokens, double weight);

  /// Adds tokens X [tokens x in], each with weight 1.
  /// @throws luq::error shape_mismatch, non_finite naming the token; nothing is added then
  void add(const matrix_view& X, executor_ref executor = {});

  /// Adds tokens with weights lambda [tokens], finite and >= 0. A token of weight 0 does not count.
  void add(const matrix_view& X, std::span<const float> lambda, executor_ref executor = {});

  /// Adds the tokens that are not padding.
  void add(const matrix_view& X, std::span<const token_class> classes, executor_ref executor = {});

  /// Adds what another accumulator of the same layer has seen.
  void merge(const hessian& other);

  [[nodiscard]] index in_features() const { return sum_.rows(); }

  /// Tokens of positive weight seen so far.
  [[nodiscard]] index tokens() const { return tokens_; }

  /// Sum of their weights.
  [[nodiscard]] double total_weight() const { return weight_; }

  /// H [in x in], symmetric; zero before the first token.
  [[nodiscard]] basic_matrix<float> matrix() const&;

  /// As above, in the memory of the accumulator, which is left without inputs and tokens.
  [[nodiscard]] basic_matrix<float> matrix() &&;

 private:
  void finish(basic_matrix<float>& sum) const;
  void add_weighted(const matrix_view& X, const std::vector<float>& lambda, executor_ref executor);
  void rank_update(const float* rows, index stride, index count, executor_ref executor);

  basic_matrix<float> sum_;  // sum of lambda x x^T; only tiles on and below the diagonal are kept
  index tokens_ = 0;
  double weight_ = 0;
};

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/estimators/impl/hessian.hpp"
#endif
