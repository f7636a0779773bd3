// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "token_position.hpp"

#include <algorithm>
#include <luq/core/error.hpp>

namespace vlm {

namespace {

/// The end of the run of image tokens that begins at `begin`, or that of the image if that comes first.
std::size_t end_of_image(std::span<const luq::token_class> classes, std::size_t begin, luq::index cells) {
  std::size_t end = begin;
  const std::size_t last = std::min(classes.size(), begin + static_cast<std::size_t>(cells));
  while (end < last && classes[end] == luq::token_class::image) ++end;
  return end;
}

}  // namespace

std::vector<token_position> positions_of(std::span<const luq::token_class> classes, std::span<const image_grid> grids,
                                         luq::index first) {
  std::vector<token_position> positions;
  positions.reserve(classes.size());
  luq::index next = first;
  auto grid = grids.begin();
  while (positions.size() < classes.size()) {
    if (grids.empty() || classes[positions.size()] != luq::token_class::image) {
      positions.push_back(text_position(next++));
      continue;
    }
    const luq::index cells = grid == grids.end() ? 0 : grid->cells();
    const std::size_t begin = positions.size();
    const std::size_t end = end_of_image(classes, begin, cells);
    const auto tokens = static_cast<luq::index>(end - begin);
    if (cells == 0 || tokens != cells) {
      luq::fail(luq::errc::shape_mismatch, "token sequence: position ", begin, ": expected the ", cells,
                " tokens of image ", grid - grids.begin(), " side by side, got ", tokens);
    }
    for (luq::index cell = 0; cell < cells; ++cell) {
      positions.push_back({next, next + cell / grid->width, next + cell % grid->width});
    }
    next += std::max(grid->height, grid->width);
    ++grid;
  }
  if (grid != grids.end()) {
    luq::fail(luq::errc::shape_mismatch, "token sequence: expected the tokens of ", grids.size(), " images, got ",
              grid - grids.begin());
  }
  return positions;
}

}  // namespace vlm
