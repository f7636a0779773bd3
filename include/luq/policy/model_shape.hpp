// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The linears of a decoder by layer: all that a byte count needs to know of a model.
#pragma once

#include <string>
#include <vector>

#include "luq/core/matrix_view.hpp"

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

[[nodiscard]] inline index weights_of(const layer_shape& layer) {
  index total = 0;
  for (const auto& linear : layer) total += linear.weights();
  return total;
}

[[nodiscard]] inline index weights_of(const model_shape& model) {
  index total = 0;
  for (const auto& layer : model) total += weights_of(layer);
  return total;
}

}  // namespace luq
