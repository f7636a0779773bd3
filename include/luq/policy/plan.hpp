// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A plan as a value: which recipe each decoder layer gets, and what that occupies. A layer is homogeneous, as in LUQ,
// so that one kernel serves a layer. Bytes are those of the packed matrices, everything counted; what a plan promises
// is what a file of packed matrices holds, to the byte.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "luq/codecs/recipe.hpp"
#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/policy/model_shape.hpp"

namespace luq {

struct plan {
  model_shape shape;
  std::vector<recipe> recipes;  ///< one per layer
  std::string reason;           ///< what chose them, for the reader: order, scores, budget

  friend bool operator==(const plan&, const plan&) = default;
};

/// Checks a plan made by hand; those that this area and io/ make are consistent.
/// @throws luq::error shape_mismatch unless there is one recipe per layer, invalid_argument as require_valid() of
///   shape and recipes
void require_consistent(const plan& p);

/// Exact bytes of one layer's linears under a recipe.
[[nodiscard]] index layer_bytes(const layer_shape& layer, const recipe& how);

/// Exact bytes of one layer of a plan.
[[nodiscard]] index layer_bytes(const plan& p, std::size_t layer);

/// Exact bytes of all linears of a consistent plan.
[[nodiscard]] index total_bytes(const plan& p);

/// 8 * bytes / weights.
[[nodiscard]] double average_bits(const plan& p);

/// Average of nominal_bits() over weights: what the literature would call this plan. Print it beside average_bits().
[[nodiscard]] double average_nominal_bits(const plan& p);

/// The share of `baseline`'s bytes that a plan saves: 0.4 for a file of 60 %, negative for a larger one.
[[nodiscard]] double saving(const plan& p, const plan& baseline);

/// Every layer under one recipe.
/// @throws luq::error invalid_argument as require_valid()
[[nodiscard]] plan uniform_plan(const model_shape& shape, const recipe& how);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/policy/impl/plan.hpp"
#endif
