// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>

#include "luq/core/all_finite.hpp"
#include "luq/core/detail/matrix_products.hpp"
#include "luq/core/detail/row_pointer.hpp"
#include "luq/core/error.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/core/mirror.hpp"
#include "luq/estimators/detail/token_weights.hpp"
#include "luq/estimators/hessian.hpp"

namespace luq {

LUQ_INLINE hessian::hessian(index in_features) : sum_(in_features, in_features) {
  std::fill_n(sum_.data(), sum_.size(), 0.0f);
}

LUQ_INLINE hessian hessian::from_sum(basic_matrix<float> sum, index tokens, double weight) {
  if (sum.rows() != sum.cols()) {
    fail(errc::shape_mismatch, "Hessian: expected a square sum, got ", sum.rows(), " x ", sum.cols());
  }
  if (!all_finite(sum.data(), sum.size())) {
    fail(errc::non_finite, "Hessian: the sum has an element that is no finite number");
  }
  if (tokens < 0 || !is_finite(weight) || weight < 0) {
    fail(errc::invalid_argument, "Hessian: expected tokens and weight >= 0, got ", tokens, " and ", weight);
  }
  hessian result(0);
  result.sum_ = std::move(sum);
  result.tokens_ = tokens;
  result.weight_ = weight;
  return result;
}

LUQ_INLINE void hessian::add(const matrix_view& X, executor_ref executor) {
  add_weighted(X, detail::equal_weights(X.rows()), executor);
}

LUQ_INLINE void hessian::add(const matrix_view& X, std::span<const float> lambda, executor_ref executor) {
  add_weighted(X, detail::checked_weights("Hessian", X.rows(), lambda), executor);
}

LUQ_INLINE void hessian::add(const matrix_view& X, std::span<const token_class> classes, executor_ref executor) {
  add_weighted(X, detail::weights_of_classes("Hessian", X.rows(), classes), executor);
}

LUQ_INLINE void hessian::merge(const hessian& other) {
  if (other.in_features() != in_features()) {
    fail(errc::shape_mismatch, "Hessian merge: expected ", in_features(), " inputs, got ", other.in_features());
  }
  for (index i = 0; i < sum_.size(); ++i) sum_.data()[i] += other.sum_.data()[i];
  tokens_ += other.tokens_;
  weight_ += other.weight_;
}

LUQ_INLINE basic_matrix<float> hessian::matrix() const& {
  basic_matrix<float> H = sum_;
  finish(H);
  return H;
}

LUQ_INLINE basic_matrix<float> hessian::matrix() && {
  finish(sum_);
  tokens_ = 0;
  weight_ = 0;
  return std::exchange(sum_, {});
}

LUQ_INLINE void hessian::finish(basic_matrix<float>& sum) const {
  mirror_lower(sum);
  if (!(weight_ > 0)) return;
  const auto scale = static_cast<float>(2.0 / weight_);
  for (index i = 0; i < sum.size(); ++i) sum.data()[i] *= scale;
}

LUQ_INLINE void hessian::add_weighted(const matrix_view& X, const std::vector<float>& lambda, executor_ref executor) {
  constexpr index token_batch = 1024;  // tokens of one visit to a tile, a multiple of the block of rank_update()
  if (X.cols() != in_features()) {
    fail(errc::shape_mismatch, "Hessian: expected activations of ", in_features(), " features, got ", X.cols());
  }
  detail::require_finite_tokens("Hessian", X, lambda, executor);
  std::vector<float> gathered;  // rows sqrt(lambda) x of tokens that count
  std::vector<index> batch;     // which those are
  const auto weight = [&](index t) { return lambda[static_cast<std::size_t>(t)]; };
  for (index t = 0; t < X.rows(); ++t) {
    if (weight(t) > 0.0f) {
      batch.push_back(t);
      ++tokens_;
      weight_ += static_cast<double>(weight(t));
    }
    const auto count = static_cast<index>(batch.size());
    if (count == 0 || (count < token_batch && t + 1 < X.rows())) continue;
    bool as_it_is = batch.back() - batch.front() + 1 == count;  // neighbours of weight 1
    for (const index token : batch) as_it_is = as_it_is && weight(token) == 1.0f;
    if (as_it_is) {
      rank_update(detail::row_pointer(X, batch.front()), X.outerStride(), count, executor);
    } else {
      const index features = in_features();
      gathered.resize(static_cast<std::size_t>((std::min)(token_batch, X.rows()) * features));
      executor.parallel_for(count, [&](index i) {
        const index token = batch[static_cast<std::size_t>(i)];
        const float factor = std::sqrt(weight(token));
        const float* const x = detail::row_pointer(X, token);
        float* const row = gathered.data() + i * features;
        for (index c = 0; c < features; ++c) row[c] = factor * x[c];
      });
      rank_update(gathered.data(), features, count, executor);
    }
    batch.clear();
  }
}

/// Lower triangle of sum_ += A^T A for A [count x in], tile by tile.
LUQ_INLINE void hessian::rank_update(const float* rows, index stride, index count, executor_ref executor) {
  constexpr index token_block = 256;  // bounds the length of a float sum, see hessian.hpp
  constexpr index tile = 256;         // side of the pieces of the lower triangle that are tasks
  const index features = in_features();
  const index side = (features + tile - 1) / tile;
  executor.parallel_for(side * (side + 1) / 2, [&](index task) {
    index i = 0;
    while ((i + 1) * (i + 2) / 2 <= task) ++i;
    const index j = task - i * (i + 1) / 2;
    for (index t = 0; t < count; t += token_block) {
      const float* const x = rows + t * stride;
      detail::add_product_of_transposed({sum_.data() + (i * features + j) * tile, features},
                                        (std::min)(tile, features - i * tile), (std::min)(tile, features - j * tile),
                                        (std::min)(token_block, count - t), {x + i * tile, stride},
                                        {x + j * tile, stride});
    }
  });
}

}  // namespace luq
