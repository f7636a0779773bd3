// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Every recipe for every codec.
#pragma once

#include <utility>
#include <variant>

#include "luq/quantizers/error_propagation.hpp"
#include "luq/quantizers/quantize_recipe.hpp"

namespace luq {

template <std::same_as<recipe> Recipe>
any_quantized_linear quantize(const linear_problem& problem, const Recipe& how, const quantize_context& context) {
  require_valid(how);
  detail::require_finite_weights(problem.W);
  if (problem.inputs == nullptr && needs_inputs(how)) {
    fail(errc::insufficient_data, "recipe ", recipe_name(how),
         ": expected inputs of the linear, which only rtn does without, got weights alone");
  }
  if (needs_drift(how) && problem.inputs->drift() == nullptr) {
    fail(errc::insufficient_data, "recipe ", recipe_name(how),
         ": expected inputs with a drift (linear_inputs::set_drift), got none");
  }
  const auto quantize_problem = [&](const linear_problem& p) {
    return std::visit(
        [&](const auto& codec) {
          auto result = detail::quantize_by_recipe(p, how, codec, context);
          return any_quantized_linear{std::move(result.packed), result.report};
        },
        how.codec);
  };
  if (!how.propagates_error) return quantize_problem(problem);
  detail::require_square(problem.W, "inputs", problem.inputs->in_features(), problem.inputs->in_features());
  const matrix W = propagate_error(problem.W, problem.inputs->H(), *problem.inputs->drift(), {}, context.executor);
  return quantize_problem({W, problem.inputs});
}

}  // namespace luq
