// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "window_order.hpp"

#include <algorithm>
#include <luq/core/assert.hpp>

namespace vlm {

window_order order_by_windows(const image_grid& grid, luq::index side) {
  LUQ_ASSERT(side > 0);
  window_order order;
  order.tokens.reserve(static_cast<std::size_t>(grid.cells()));
  for (luq::index top = 0; top < grid.height; top += side) {
    for (luq::index left = 0; left < grid.width; left += side) {
      const luq::index bottom = std::min(top + side, grid.height);
      const luq::index right = std::min(left + side, grid.width);
      for (luq::index row = top; row < bottom; ++row) {
        for (luq::index column = left; column < right; ++column) order.tokens.push_back(row * grid.width + column);
      }
      order.sizes.push_back((bottom - top) * (right - left));
    }
  }
  return order;
}

}  // namespace vlm
