// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// How much the squared error of each column counts where parameters are fitted.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "luq/core/assert.hpp"
#include "luq/core/index.hpp"

namespace luq::detail {

/// The weights of columns in the error that a fit minimises: `importance`, or ones where it says nothing about the
/// columns, being empty or zero throughout.
[[nodiscard]] inline std::vector<float> fit_weights(std::span<const float> importance, index columns) {
  LUQ_ASSERT(importance.empty() || static_cast<index>(importance.size()) == columns);
  if (std::any_of(importance.begin(), importance.end(), [](float h) { return h > 0.0f; })) {
    return {importance.begin(), importance.end()};
  }
  return std::vector<float>(static_cast<std::size_t>(columns), 1.0f);
}

}  // namespace luq::detail
