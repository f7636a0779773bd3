// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The order in which the columns of a group are stored (tile_layout.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "luq/core/index.hpp"

namespace luq::detail {

/// Positions of a group's columns in storage: result[column] = place. Class 1 comes first, then class 0.
/// @param classes  one per column, or empty if there is only one class
[[nodiscard]] inline std::vector<index> stored_places(std::span<const std::uint8_t> classes, index columns) {
  std::vector<index> places(static_cast<std::size_t>(columns));
  index next = 0;
  for (int column_class = 1; column_class >= 0; --column_class) {
    for (index c = 0; c < columns; ++c) {
      const int class_of = classes.empty() ? 0 : classes[static_cast<std::size_t>(c)];
      if (class_of == column_class) places[static_cast<std::size_t>(c)] = next++;
    }
  }
  return places;
}

}  // namespace luq::detail
