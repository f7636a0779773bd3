// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The weight of each token of a batch, in whichever way the caller gives it: all 1, a number for each, or 0 for padding
// and 1 for the rest.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "luq/core/all_finite.hpp"
#include "luq/core/error.hpp"
#include "luq/core/executor.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/core/matrix_view.hpp"
#include "luq/estimators/token_class.hpp"

namespace luq::detail {

class token_weights {
 public:
  explicit token_weights(index tokens) : lambda_(static_cast<std::size_t>(tokens), 1.0f) {}

  /// @throws luq::error shape_mismatch, or invalid_argument for a weight that is negative or not finite
  token_weights(const char* who, index tokens, std::span<const float> lambda) : lambda_(lambda.begin(), lambda.end()) {
    require_one_per_token(who, tokens, "weights");
    for (index t = 0; t < tokens; ++t) {
      if (!is_finite(lambda[static_cast<std::size_t>(t)]) || (*this)[t] < 0.0f) {
        fail(errc::invalid_argument, who, ": weight of token ", t, ": expected a finite number >= 0, got ", (*this)[t]);
      }
    }
  }

  /// @throws luq::error shape_mismatch
  token_weights(const char* who, index tokens, std::span<const token_class> classes) {
    for (const token_class kind : classes) lambda_.push_back(kind == token_class::padding ? 0.0f : 1.0f);
    require_one_per_token(who, tokens, "classes");
  }

  [[nodiscard]] float operator[](index t) const { return lambda_[static_cast<std::size_t>(t)]; }

  /// Whether `count` tokens from `first` on all have weight 1.
  [[nodiscard]] bool all_one(index first, index count) const {
    return std::all_of(lambda_.begin() + first, lambda_.begin() + first + count, [](float w) { return w == 1.0f; });
  }

  /// Throws if a token that counts is not finite.
  void require_finite(const char* who, const matrix_view& X, executor_ref executor) const {
    constexpr index strip = 64;
    executor.parallel_for((X.rows() + strip - 1) / strip, [&](index task) {
      for (index t = task * strip; t < (std::min)((task + 1) * strip, X.rows()); ++t) {
        if ((*this)[t] > 0.0f && !all_finite(X.row(t).data(), X.cols())) {
          fail(errc::non_finite, who, ": activations of token ", t, ": expected finite numbers, got a NaN or infinity");
        }
      }
    });
  }

 private:
  void require_one_per_token(const char* who, index tokens, const char* what) const {
    const auto count = static_cast<index>(lambda_.size());
    if (count != tokens) fail(errc::shape_mismatch, who, ": expected ", tokens, " token ", what, ", got ", count);
  }

  std::vector<float> lambda_;
};

}  // namespace luq::detail
