// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "luq/core/detail/matrix_products.hpp"
#include "luq/core/detail/row_pointer.hpp"
#include "luq/core/error.hpp"
#include "luq/estimators/detail/token_weights.hpp"
#include "luq/estimators/input_drift.hpp"

namespace luq {

LUQ_INLINE input_drift::input_drift(index in_features) : sum_(in_features, in_features) {
  std::fill_n(sum_.data(), sum_.size(), 0.0f);
}

LUQ_INLINE void input_drift::add(const matrix_view& X, const matrix_view& X_hat, executor_ref executor) {
  add_weighted(X, X_hat, detail::equal_weights(X.rows()), executor);
}

LUQ_INLINE void input_drift::add(const matrix_view& X, const matrix_view& X_hat, std::span<const float> lambda,
                                 executor_ref executor) {
  add_weighted(X, X_hat, detail::checked_weights("input drift", X.rows(), lambda), executor);
}

LUQ_INLINE void input_drift::add(const matrix_view& X, const matrix_view& X_hat, std::span<const token_class> classes,
                                 executor_ref executor) {
  add_weighted(X, X_hat, detail::weights_of_classes("input drift", X.rows(), classes), executor);
}

LUQ_INLINE void input_drift::merge(const input_drift& other) {
  if (other.in_features() != in_features()) {
    fail(errc::shape_mismatch, "input drift merge: expected ", in_features(), " inputs, got ", other.in_features());
  }
  for (index i = 0; i < sum_.size(); ++i) sum_.data()[i] += other.sum_.data()[i];
  tokens_ += other.tokens_;
  weight_ += other.weight_;
}

LUQ_INLINE basic_matrix<float> input_drift::matrix() const {
  basic_matrix<float> D = sum_;
  if (!(weight_ > 0)) return D;
  const auto scale = static_cast<float>(2.0 / weight_);
  for (index i = 0; i < D.size(); ++i) D.data()[i] *= scale;
  return D;
}

LUQ_INLINE void input_drift::add_weighted(const matrix_view& X, const matrix_view& X_hat,
                                          const std::vector<float>& lambda, executor_ref executor) {
  constexpr index token_block = 256;  // bounds the length of a float sum, see hessian.hpp
  const index features = in_features();
  if (X.cols() != features || X_hat.cols() != features || X_hat.rows() != X.rows()) {
    fail(errc::shape_mismatch, "input drift: expected two batches of the same tokens with ", features,
         " features, got ", X.rows(), " x ", X.cols(), " and ", X_hat.rows(), " x ", X_hat.cols());
  }
  detail::require_finite_tokens("input drift", X, lambda, executor);
  detail::require_finite_tokens("input drift", X_hat, lambda, executor);
  std::vector<float> drift(static_cast<std::size_t>(token_block * features));  // rows lambda (x - xhat) of those that
  std::vector<float> inputs(drift.size());                                     // count, and their rows xhat
  index filled = 0;
  for (index t = 0; t < X.rows(); ++t) {
    const float weight = lambda[static_cast<std::size_t>(t)];
    if (!(weight > 0.0f)) continue;
    const float* const x = detail::row_pointer(X, t);
    const float* const x_hat = detail::row_pointer(X_hat, t);
    float* const difference = drift.data() + filled * features;
    for (index c = 0; c < features; ++c) difference[c] = weight * (x[c] - x_hat[c]);
    std::copy_n(x_hat, features, inputs.data() + filled * features);
    ++filled;
    ++tokens_;
    weight_ += static_cast<double>(weight);
    if (filled == token_block) {
      rank_update(drift.data(), inputs.data(), filled, executor);
      filled = 0;
    }
  }
  if (filled > 0) rank_update(drift.data(), inputs.data(), filled, executor);
}

/// sum_ += drift^T inputs, both [count x in], tile by tile.
LUQ_INLINE void input_drift::rank_update(const float* drift, const float* inputs, index count, executor_ref executor) {
  constexpr index tile = 256;  // side of the pieces that are tasks
  const index features = in_features();
  const index side = (features + tile - 1) / tile;
  executor.parallel_for(side * side, [&](index task) {
    const index i = task / side * tile;
    const index j = task % side * tile;
    detail::add_product_of_transposed({sum_.data() + i * features + j, features}, (std::min)(tile, features - i),
                                      (std::min)(tile, features - j), count, {drift + i, features},
                                      {inputs + j, features});
  });
}

}  // namespace luq
