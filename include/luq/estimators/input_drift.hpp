// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// How far the inputs of a linear have drifted because the layers before it are quantized: the cross moment of the
// drift with the inputs that the linear now gets,
//
//   D = 2 / (sum_t lambda_t)  sum_t lambda_t (x_t - xhat_t) xhat_t^T        [in x in]
//
// x_t is token t behind the float layers, xhat_t the same token behind the quantized ones; lambda_t >= 0 as for the
// Hessian, whose scale this is. With H the Hessian of xhat, the weights that come closest to the float output W x from
// the inputs xhat are W + W D H^-1: least squares of sum_t lambda_t |W x_t - V xhat_t|^2 over V. Methods that
// compensate for drift start from D (GPTAQ, Li et al., ICML 2025; QEP, Arai and Ichikawa, NeurIPS 2025).
//
// D is not symmetric. Its sums are made like those of hessian.hpp, with the same bound on their rounding.
#pragma once

#include <span>
#include <vector>

#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/core/executor.hpp"
#include "luq/core/matrix_view.hpp"
#include "luq/estimators/token_class.hpp"

namespace luq {

/// Accumulates the drift of the inputs of one linear. Adding a stream in parts and merging the parts gives the same
/// matrix within rounding.
class input_drift {
 public:
  explicit input_drift(index in_features);

  /// Adds tokens, each with weight 1: row t of X [tokens x in] behind float layers, of X_hat behind quantized ones.
  /// @throws luq::error shape_mismatch, non_finite naming the token; nothing is added then
  void add(const matrix_view& X, const matrix_view& X_hat, executor_ref executor = {});

  /// Adds tokens with weights lambda [tokens], finite and >= 0. A token of weight 0 does not count.
  void add(const matrix_view& X, const matrix_view& X_hat, std::span<const float> lambda, executor_ref executor = {});

  /// Adds the tokens that are not padding.
  void add(const matrix_view& X, const matrix_view& X_hat, std::span<const token_class> classes,
           executor_ref executor = {});

  /// Adds what another accumulator of the same linear has seen.
  void merge(const input_drift& other);

  [[nodiscard]] index in_features() const { return sum_.rows(); }

  /// Tokens of positive weight seen so far.
  [[nodiscard]] index tokens() const { return tokens_; }

  /// Sum of their weights.
  [[nodiscard]] double total_weight() const { return weight_; }

  /// D [in x in]; zero before the first token.
  [[nodiscard]] basic_matrix<float> matrix() const;

 private:
  void add_weighted(const matrix_view& X, const matrix_view& X_hat, const std::vector<float>& lambda,
                    executor_ref executor);
  void rank_update(const float* drift, const float* inputs, index count, executor_ref executor);

  basic_matrix<float> sum_;  // sum of lambda (x - xhat) xhat^T
  index tokens_ = 0;
  double weight_ = 0;
};

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/estimators/impl/input_drift.hpp"
#endif
