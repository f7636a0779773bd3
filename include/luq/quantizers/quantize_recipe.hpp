// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The front door for what is chosen at run time: quantize.hpp by a recipe.
//
//   luq::linear_inputs inputs(in_features);  inputs.add(X);
//   auto linear = luq::quantize({W, inputs}, luq::parse_recipe("hadamard/int2:g128/gptq+refine"));
//   luq::matmul(linear.packed, X, Y);
//
// Compiling all searches for all codecs takes minutes: a program that calls it links luq::compiled, or does so in one
// of its files.
#pragma once

#include <concepts>
#include <variant>

#include "luq/codecs/any_packed_matrix.hpp"
#include "luq/codecs/recipe.hpp"
#include "luq/quantizers/detail/recipe_steps.hpp"
#include "luq/quantizers/quantizer.hpp"

namespace luq {

/// quantized_linear of a codec that is chosen at run time.
struct any_quantized_linear {
  any_packed_matrix packed;  ///< codes, parameters and transform
  quantize_report report;

  [[nodiscard]] double bits_per_weight() const {
    return std::visit([](const auto& p) { return p.bits_per_weight(); }, packed);
  }
};

/// Quantizes and packs problem.W as a recipe says. It is a template of the one type that it takes, so that who does not
/// call it does not compile it.
/// @throws luq::error as quantize_codes() and require_valid(recipe); insufficient_data where the recipe needs inputs,
///   or the drift of inputs, that the problem has not (needs_inputs(), needs_drift())
template <std::same_as<recipe> Recipe>
[[nodiscard]] any_quantized_linear quantize(const linear_problem& problem, const Recipe& how,
                                            const quantize_context& context = {});

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/quantizers/templates/quantize_recipe.hpp"
#include "luq/quantizers/templates/recipe_steps.hpp"
#endif
