// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Images as they enter a model, and as its decoder sees them. Models that take pictures of one size have pixels alone;
// models that take pictures of any size have them cut into patches, and a grid says how these lie.
#pragma once

#include <luq/core/matrix_view.hpp>
#include <optional>
#include <span>
#include <vector>

namespace vlm {

/// Rows and columns of patches, or of the tokens that patches are merged to.
struct image_grid {
  luq::index height = 0;
  luq::index width = 0;

  [[nodiscard]] luq::index cells() const noexcept { return height * width; }
  friend bool operator==(const image_grid&, const image_grid&) = default;
};

/// One image, normalized as the model expects.
struct image {
  /// [channels x height x width]; with a grid [patches x values of one], in the order that the model's processor gives
  /// them.
  std::vector<float> pixels;
  std::optional<image_grid> grid;  ///< of patches

  friend bool operator==(const image&, const image&) = default;
};

/// What a decoder sees of the images of a sequence.
struct encoded_images {
  luq::matrix rows;               ///< [image tokens x hidden], image after image
  std::vector<image_grid> grids;  ///< of the tokens of each image; empty where image tokens are placed as text is

  /// Adds images behind these.
  void append(const encoded_images& others);
};

/// @throws luq::error non_finite if a pixel is no finite number
void require_finite(std::span<const float> pixels);

}  // namespace vlm
