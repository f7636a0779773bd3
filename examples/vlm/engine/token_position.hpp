// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Where tokens stand. Text stands on one axis. In models with multimodal rotary embedding (Qwen2-VL, arXiv 2409.12191)
// the tokens of an image stand on three: all at the time at which it begins, and each at its row and column from there
// on. Text goes on behind the largest position so far, so that a sequence is longer than its positions tell.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <luq/core/index.hpp>
#include <luq/estimators/token_class.hpp>
#include <span>
#include <vector>

#include "image.hpp"

namespace vlm {

enum class position_axis : std::uint8_t { time, height, width };

/// One position for each axis, >= 0; those of text are equal.
using token_position = std::array<luq::index, 3>;

[[nodiscard]] constexpr token_position text_position(luq::index position) noexcept {
  return {position, position, position};
}

[[nodiscard]] constexpr luq::index on_axis(const token_position& position, position_axis axis) noexcept {
  return position[static_cast<std::size_t>(axis)];
}

/// Positions of tokens that go on at `first`.
/// @param grids  of the tokens of each image, in order; empty if image tokens are placed as text is
/// @throws luq::error shape_mismatch if the image tokens are not those of the grids, each image's side by side
[[nodiscard]] std::vector<token_position> positions_of(std::span<const luq::token_class> classes,
                                                       std::span<const image_grid> grids, luq::index first);

}  // namespace vlm
