// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The linears of a decoder by layer: all that a byte count needs to know of a model.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

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

/// Checks what all of policy/ relies on: at least one linear, each with a name of its own, at least one row and one
/// column, and no more than most_weights in all. A layer may be empty.
/// @throws luq::error invalid_argument
inline void require_valid(const model_shape& model) {
  std::unordered_set<std::string_view> names;
  index total = 0;
  for (std::size_t layer = 0; layer < model.size(); ++layer) {
    for (const linear_shape& linear : model[layer]) {
      if (linear.name.empty())
        fail(errc::invalid_argument, "model shape: layer ", layer, " has a linear without a name");
      if (linear.rows < 1 || linear.cols < 1) {
        fail(errc::invalid_argument, "model shape: ", linear.name, ": expected at least one row and one column, got ",
             linear.rows, " x ", linear.cols);
      }
      if (linear.rows > most_weights / linear.cols || linear.weights() > most_weights - total) {
        fail(errc::invalid_argument, "model shape: ", linear.name, ": with ", linear.rows, " x ", linear.cols,
             " weights the model exceeds ", most_weights);
      }
      if (!names.insert(linear.name).second) {
        fail(errc::invalid_argument, "model shape: two linears are named ", linear.name);
      }
      total += linear.weights();
    }
  }
  if (total == 0) fail(errc::invalid_argument, "model shape: expected at least one linear, got none");
}

}  // namespace luq
