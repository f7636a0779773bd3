// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The order in which Qwen2.5-VL's tower holds the tokens of an image, so that those of a window lie side by side:
// windows row by row, tokens row by row within each. Windows at the right and lower edge may be smaller.
//
//   5 x 3 tokens, windows of 2 x 2:    0  1 | 2       ->   0 1 3 4 | 2 5 | 6 7 9 10 | 8 11 | 12 13 | 14
//                                      3  4 | 5
//                                     ------+---
//                                      6  7 | 8
//                                      9 10 | 11
//                                     ------+---
//                                     12 13 | 14
#pragma once

#include <luq/core/index.hpp>
#include <vector>

#include "image.hpp"

namespace vlm {

struct window_order {
  std::vector<luq::index> tokens;  ///< number of the token at each place, counted row by row
  std::vector<luq::index> sizes;   ///< tokens of each window, none 0
};

/// @param grid  of tokens
/// @param side  of a window in tokens, > 0
[[nodiscard]] window_order order_by_windows(const image_grid& grid, luq::index side);

}  // namespace vlm
