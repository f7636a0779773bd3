// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>
#include <unordered_set>

#include "luq/core/error.hpp"
#include "luq/policy/model_shape.hpp"

namespace luq {

LUQ_INLINE index weights_of(const layer_shape& layer) {
  index total = 0;
  for (const auto& linear : layer) total += linear.weights();
  return total;
}

LUQ_INLINE index weights_of(const model_shape& model) {
  index total = 0;
  for (const auto& layer : model) total += weights_of(layer);
  return total;
}

LUQ_INLINE void require_valid(const model_shape& model) {
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
