// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "engine/window_order.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

namespace {

using order = std::vector<luq::index>;

}  // namespace

TEST_CASE("tokens of a window lie side by side, windows at the edges are smaller") {
  const vlm::window_order windows = vlm::order_by_windows({5, 3}, 2);
  CHECK(windows.tokens == order{0, 1, 3, 4, 2, 5, 6, 7, 9, 10, 8, 11, 12, 13, 14});
  CHECK(windows.sizes == order{4, 2, 4, 2, 2, 1});
}

TEST_CASE("whole windows, one window, and windows of one token") {
  CHECK(vlm::order_by_windows({2, 4}, 2).tokens == order{0, 1, 4, 5, 2, 3, 6, 7});
  CHECK(vlm::order_by_windows({2, 4}, 2).sizes == order{4, 4});
  CHECK(vlm::order_by_windows({2, 3}, 8).tokens == order{0, 1, 2, 3, 4, 5});
  CHECK(vlm::order_by_windows({2, 3}, 8).sizes == order{6});
  CHECK(vlm::order_by_windows({2, 2}, 1).tokens == order{0, 1, 2, 3});
  CHECK(vlm::order_by_windows({2, 2}, 1).sizes == order{1, 1, 1, 1});
}

TEST_CASE("every token has one place, whatever the sizes") {
  for (luq::index height = 1; height <= 9; ++height) {
    for (luq::index width = 1; width <= 9; ++width) {
      for (luq::index side = 1; side <= 5; ++side) {
        vlm::window_order windows = vlm::order_by_windows({height, width}, side);
        CHECK(std::accumulate(windows.sizes.begin(), windows.sizes.end(), luq::index{0}) == height * width);
        std::sort(windows.tokens.begin(), windows.tokens.end());
        order all(static_cast<std::size_t>(height * width));
        std::iota(all.begin(), all.end(), 0);
        CHECK(windows.tokens == all);
      }
    }
  }
}
