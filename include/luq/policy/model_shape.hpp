// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The linears of a decoder by layer: all that a byte count needs to know of a model.
#pragma once

#include <string>
#include <vector>

#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/core/index.hpp"

namespace luq {

/// One weight matrix [rows x cols] and its name, such as "model.layers.3.mlp.up_proj".
struct linear_shape {
  std::string name;
  index rows = 0;
  index cols = 0;

  [[nodiscard]] index weights() const { return rows * cols; }
  friend bool operator==(const linear_shape&, const linear_shape&) = default;
};

/// The quantized linears of one decoder layer.
using layer_shape = std::vector<linear_shape>;

/// The decoder layers of a model, first to last.
using model_shape = std::vector<layer_shape>;

/// The most weights that a model may have. No codec takes more than 16 bytes for a weight (BiLLM's parameters and signs
/// in groups of one), so byte counts stay below 2^53 and are exact in `index`, in double and in JSON.
inline constexpr index most_weights = index{1} << 48;

[[nodiscard]] index weights_of(const layer_shape& layer);

[[nodiscard]] index weights_of(const model_shape& model);

/// Checks what all of policy/ relies on: at least one linear, each with a name of its own, at least one row and one
/// column, and no more than most_weights in all. A layer may be empty.
/// @throws luq::error invalid_argument
void require_valid(const model_shape& model);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/policy/impl/model_shape.hpp"
#endif
