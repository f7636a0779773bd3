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

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "luq/core/all_finite.hpp"
#include "luq/core/detail/matrix_products.hpp"
#include "luq/core/error.hpp"
#include "luq/core/executor.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/core/matrix_view.hpp"
#include "luq/core/mirror.hpp"
#include "luq/estimators/detail/token_weights.hpp"
#include "luq/estimators/token_class.hpp"

namespace luq {

/// Accumulates the Hessian of one linear layer. Adding a stream in parts and merging the parts gives the same matrix
/// within rounding.
class hessian {
 public:
  explicit hessian(index in_features) : sum_(basic_matrix<float>::Zero(in_features, in_features)) {}

  /// An accumulator that goes on from sums made elsewhere.
  /// @param sum     [in x in] sum of lambda x x^T, of which the lower triangle is taken
  /// @param tokens  of positive weight
  /// @param weight  sum of their weights
  /// @throws luq::error shape_mismatch unless it is square, non_finite if an element is, invalid_argument for a negative
  ///   number of tokens or weight
  [[nodiscard]] static hessian from_sum(basic_matrix<float> sum, index tokens, double weight) {
    if (sum.rows() != sum.cols()) {
      fail(errc::shape_mismatch, "Hessian: expected a square sum, got ", sum.rows(), " x ", sum.cols());
    }
    if (!all_finite(sum)) fail(errc::non_finite, "Hessian: the sum has an element that is no finite number");
    if (tokens < 0 || !is_finite(weight) || weight < 0) {
      fail(errc::invalid_argument, "Hessian: expected tokens and weight >= 0, got ", tokens, " and ", weight);
    }
    hessian result(0);
    result.sum_ = std::move(sum);
    result.tokens_ = tokens;
    result.weight_ = weight;
    return result;
  }

  /// Adds tokens X [tokens x in], each with weight 1.
  /// @throws luq::error shape_mismatch, non_finite naming the token; nothing is added then
  void add(const matrix_view& X, executor_ref executor = {}) {
    add_weighted(X, detail::token_weights(X.rows()), executor);
  }

  /// Adds tokens with weights lambda [tokens], finite and >= 0. A token of weight 0 does not count.
  void add(const matrix_view& X, std::span<const float> lambda, executor_ref executor = {}) {
    add_weighted(X, detail::token_weights("Hessian", X.rows(), lambda), executor);
  }

  /// Adds the tokens that are not padding.
  void add(const matrix_view& X, std::span<const token_class> classes, executor_ref executor = {}) {
    add_weighted(X, detail::token_weights("Hessian", X.rows(), classes), executor);
  }

  /// Adds what another accumulator of the same layer has seen.
  void merge(const hessian& other) {
    if (other.in_features() != in_features()) {
      fail(errc::shape_mismatch, "Hessian merge: expected ", in_features(), " inputs, got ", other.in_features());
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

  /// H [in x in], symmetric; zero before the first token.
  [[nodiscard]] basic_matrix<float> matrix() const& {
    basic_matrix<float> H = sum_;
    finish(H);
    return H;
  }

  /// As above, in the memory of the accumulator, which is left without inputs and tokens.
  [[nodiscard]] basic_matrix<float> matrix() && {
    finish(sum_);
    tokens_ = 0;
    weight_ = 0;
    return std::exchange(sum_, {});
  }

 private:
  static constexpr index token_block = 256;   // bounds the length of a float sum, see above
  static constexpr index token_batch = 1024;  // tokens of one visit to a tile, a multiple of token_block
  static constexpr index tile = 256;          // side of the pieces of the lower triangle that are tasks

  void finish(basic_matrix<float>& sum) const {
    mirror_lower(sum);
    if (weight_ > 0) sum *= static_cast<float>(2.0 / weight_);
  }

  void add_weighted(const matrix_view& X, const detail::token_weights& lambda, executor_ref executor) {
    if (X.cols() != in_features()) {
      fail(errc::shape_mismatch, "Hessian: expected activations of ", in_features(), " features, got ", X.cols());
    }
    lambda.require_finite("Hessian", X, executor);
    basic_matrix<float> gathered;  // rows sqrt(lambda) x of tokens that count
    std::vector<index> batch;      // which those are
    for (index t = 0; t < X.rows(); ++t) {
      if (lambda[t] > 0.0f) {
        batch.push_back(t);
        ++tokens_;
        weight_ += static_cast<double>(lambda[t]);
      }
      const auto count = static_cast<index>(batch.size());
      if (count == 0 || (count < token_batch && t + 1 < X.rows())) continue;
      if (batch.back() - batch.front() + 1 == count && lambda.all_one(batch.front(), count)) {
        rank_update(X.middleRows(batch.front(), count), executor);
      } else {
        if (gathered.size() == 0) gathered.resize((std::min)(token_batch, X.rows()), in_features());
        executor.parallel_for(count, [&](index i) {
          const index token = batch[static_cast<std::size_t>(i)];
          gathered.row(i) = std::sqrt(lambda[token]) * X.row(token);
        });
        rank_update(gathered.topRows(count), executor);
      }
      batch.clear();
    }
  }

  /// Lower triangle of sum_ += A^T A, tile by tile.
  void rank_update(const matrix_view& A, executor_ref executor) {
    const index side = (in_features() + tile - 1) / tile;
    executor.parallel_for(side * (side + 1) / 2, [&](index task) {
      index i = 0;
      while ((i + 1) * (i + 2) / 2 <= task) ++i;
      const index j = task - i * (i + 1) / 2;
      const index rows = (std::min)(tile, in_features() - i * tile);
      const index cols = (std::min)(tile, in_features() - j * tile);
      for (index t = 0; t < A.rows(); t += token_block) {
        const index count = (std::min)(token_block, A.rows() - t);
        detail::add_product_of_transposed(sum_.block(i * tile, j * tile, rows, cols), 1.0f,
                                          A.block(t, i * tile, count, rows), A.block(t, j * tile, count, cols));
      }
    });
  }

  basic_matrix<float> sum_;  // sum of lambda x x^T; only tiles on and below the diagonal are kept
  index tokens_ = 0;
  double weight_ = 0;
};

}  // namespace luq
