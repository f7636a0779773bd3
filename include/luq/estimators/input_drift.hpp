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

#include <algorithm>
#include <span>

#include "luq/core/detail/matrix_products.hpp"
#include "luq/core/error.hpp"
#include "luq/core/executor.hpp"
#include "luq/core/matrix_view.hpp"
#include "luq/estimators/detail/token_weights.hpp"
#include "luq/estimators/token_class.hpp"

namespace luq {

/// Accumulates the drift of the inputs of one linear. Adding a stream in parts and merging the parts gives the same
/// matrix within rounding.
class input_drift {
 public:
  explicit input_drift(index in_features) : sum_(basic_matrix<float>::Zero(in_features, in_features)) {}

  /// Adds tokens, each with weight 1: row t of X [tokens x in] behind float layers, of X_hat behind quantized ones.
  /// @throws luq::error shape_mismatch, non_finite naming the token; nothing is added then
  void add(const matrix_view& X, const matrix_view& X_hat, executor_ref executor = {}) {
    add_weighted(X, X_hat, detail::token_weights(X.rows()), executor);
  }

  /// Adds tokens with weights lambda [tokens], finite and >= 0. A token of weight 0 does not count.
  void add(const matrix_view& X, const matrix_view& X_hat, std::span<const float> lambda, executor_ref executor = {}) {
    add_weighted(X, X_hat, detail::token_weights("input drift", X.rows(), lambda), executor);
  }

  /// Adds the tokens that are not padding.
  void add(const matrix_view& X, const matrix_view& X_hat, std::span<const token_class> classes,
           executor_ref executor = {}) {
    add_weighted(X, X_hat, detail::token_weights("input drift", X.rows(), classes), executor);
  }

  /// Adds what another accumulator of the same linear has seen.
  void merge(const input_drift& other) {
    if (other.in_features() != in_features()) {
      fail(errc::shape_mismatch, "input drift merge: expected ", in_features(), " inputs, got ", other.in_features());
    }
    sum_ += other.sum_;
    tokens_ += other.tokens_;
    weight_ += other.weight_;
  }

  [[nodiscard]] index in_features() const { return sum_.rows(); }

  /// Tokens of positive weight seen so far.
  [[nodiscard]] index tokens() const { return tokens_; }

  /// Sum of their weights.
  [[nodiscard]] double total_weight() const { return weight_; }

  /// D [in x in]; zero before the first token.
  [[nodiscard]] basic_matrix<float> matrix() const {
    basic_matrix<float> D = sum_;
    if (weight_ > 0) D *= static_cast<float>(2.0 / weight_);
    return D;
  }

 private:
  static constexpr index token_block = 256;  // bounds the length of a float sum, see hessian.hpp
  static constexpr index tile = 256;         // side of the pieces that are tasks

  void add_weighted(const matrix_view& X, const matrix_view& X_hat, const detail::token_weights& lambda,
                    executor_ref executor) {
    if (X.cols() != in_features() || X_hat.cols() != in_features() || X_hat.rows() != X.rows()) {
      fail(errc::shape_mismatch, "input drift: expected two batches of the same tokens with ", in_features(),
           " features, got ", X.rows(), " x ", X.cols(), " and ", X_hat.rows(), " x ", X_hat.cols());
    }
    lambda.require_finite("input drift", X, executor);
    lambda.require_finite("input drift", X_hat, executor);
    basic_matrix<float> drift(token_block, in_features());   // rows lambda (x - xhat) of tokens that count
    basic_matrix<float> inputs(token_block, in_features());  // their rows xhat
    index filled = 0;
    for (index t = 0; t < X.rows(); ++t) {
      if (!(lambda[t] > 0.0f)) continue;
      drift.row(filled) = lambda[t] * (X.row(t) - X_hat.row(t));
      inputs.row(filled) = X_hat.row(t);
      ++filled;
      ++tokens_;
      weight_ += static_cast<double>(lambda[t]);
      if (filled == token_block) {
        rank_update(drift, inputs, executor);
        filled = 0;
      }
    }
    if (filled > 0) rank_update(drift.topRows(filled), inputs.topRows(filled), executor);
  }

  /// sum_ += A^T B, tile by tile.
  void rank_update(const matrix_view& A, const matrix_view& B, executor_ref executor) {
    const index side = (in_features() + tile - 1) / tile;
    executor.parallel_for(side * side, [&](index task) {
      const index i = task / side * tile;
      const index j = task % side * tile;
      const index rows = (std::min)(tile, in_features() - i);
      const index cols = (std::min)(tile, in_features() - j);
      detail::add_product_of_transposed(sum_.block(i, j, rows, cols), 1.0f, A.middleCols(i, rows),
                                        B.middleCols(j, cols));
    });
  }

  basic_matrix<float> sum_;  // sum of lambda (x - xhat) xhat^T
  index tokens_ = 0;
  double weight_ = 0;
};

}  // namespace luq
