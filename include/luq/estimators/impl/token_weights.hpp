// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "luq/core/all_finite.hpp"
#include "luq/core/detail/row_pointer.hpp"
#include "luq/core/error.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/estimators/detail/token_weights.hpp"

namespace luq::detail {

LUQ_INLINE void require_one_per_token(const char* who, index tokens, const char* what, std::size_t count) {
  if (static_cast<index>(count) != tokens) {
    fail(errc::shape_mismatch, who, ": expected ", tokens, " token ", what, ", got ", count);
  }
}

LUQ_INLINE token_weights equal_weights(index tokens) {
  return token_weights(static_cast<std::size_t>(tokens), 1.0f);
}

LUQ_INLINE token_weights checked_weights(const char* who, index tokens, std::span<const float> lambda) {
  require_one_per_token(who, tokens, "weights", lambda.size());
  for (std::size_t t = 0; t < lambda.size(); ++t) {
    if (!is_finite(lambda[t]) || lambda[t] < 0.0f) {
      fail(errc::invalid_argument, who, ": weight of token ", t, ": expected a finite number >= 0, got ", lambda[t]);
    }
  }
  return token_weights(lambda.begin(), lambda.end());
}

LUQ_INLINE token_weights weights_of_classes(const char* who, index tokens, std::span<const token_class> classes) {
  require_one_per_token(who, tokens, "classes", classes.size());
  token_weights lambda;
  for (const token_class kind : classes) lambda.push_back(kind == token_class::padding ? 0.0f : 1.0f);
  return lambda;
}

LUQ_INLINE void require_finite_tokens(const char* who, const matrix_view& X, const token_weights& lambda,
                                      executor_ref executor) {
  constexpr index strip = 64;
  executor.parallel_for((X.rows() + strip - 1) / strip, [&](index task) {
    for (index t = task * strip; t < (std::min)((task + 1) * strip, X.rows()); ++t) {
      if (lambda[static_cast<std::size_t>(t)] > 0.0f && !all_finite(row_pointer(X, t), X.cols())) {
        fail(errc::non_finite, who, ": activations of token ", t, ": expected finite numbers, got a NaN or infinity");
      }
    }
  });
}

}  // namespace luq::detail
