// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The weight of each token of a batch, in whichever way the caller gives it: all 1, a number for each, or 0 for padding
// and 1 for the rest.
#pragma once

#include <span>
#include <vector>

#include "luq/core/compiled.hpp"
#include "luq/core/executor.hpp"
#include "luq/core/matrix_view.hpp"
#include "luq/estimators/token_class.hpp"

namespace luq::detail {

using token_weights = std::vector<float>;

[[nodiscard]] token_weights equal_weights(index tokens);

/// @throws luq::error shape_mismatch, or invalid_argument for a weight that is negative or not finite
[[nodiscard]] token_weights checked_weights(const char* who, index tokens, std::span<const float> lambda);

/// @throws luq::error shape_mismatch
[[nodiscard]] token_weights weights_of_classes(const char* who, index tokens, std::span<const token_class> classes);

/// @throws luq::error non_finite if a token of positive weight is not finite
void require_finite_tokens(const char* who, const matrix_view& X, const token_weights& lambda, executor_ref executor);

}  // namespace luq::detail

#ifndef LUQ_COMPILED
#include "luq/estimators/impl/token_weights.hpp"
#endif
