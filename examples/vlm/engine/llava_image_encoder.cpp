// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "llava_image_encoder.hpp"

#include <algorithm>
#include <luq/core/error.hpp>

#include "weight_reader.hpp"

namespace vlm {

namespace {

/// No layer beyond the last state that the decoder is shown.
luq::index layers_in_use(const llava_vision_config& config) {
  return *std::max_element(config.feature_states.begin(), config.feature_states.end());
}

projector read_projector(const llava_vision_config& config, luq::index hidden, const weight_reader& weights) {
  const luq::index features = config.tower.hidden_size * static_cast<luq::index>(config.feature_states.size());
  return {weights.linear("linear_1", hidden, features, config.projector_bias), config.projector_activation,
          weights.linear("linear_2", hidden, hidden, config.projector_bias)};
}

}  // namespace

llava_image_encoder::llava_image_encoder(const llava_vision_config& config, luq::index hidden_size,
                                         const weight_reader& vision, const weight_reader& projector)
    : config_(config),
      tower_(config.tower, layers_in_use(config), vision),
      projector_(read_projector(config, hidden_size, projector)) {}

encoded_images llava_image_encoder::encode(const image& picture) const {
  if (picture.grid) {
    luq::fail(luq::errc::shape_mismatch, "image: expected the pixels of a whole picture, got a grid of patches");
  }
  const std::vector<luq::matrix> states = tower_.states(picture.pixels);
  const luq::index rows = config_.tokens_per_image();
  const luq::index width = config_.tower.hidden_size;
  luq::matrix selected(rows, width * static_cast<luq::index>(config_.feature_states.size()));
  luq::index column = 0;
  for (const luq::index state : config_.feature_states) {
    selected.middleCols(column, width) = states[static_cast<std::size_t>(state)].bottomRows(rows);
    column += width;
  }
  return {projector_(selected), {}};
}

}  // namespace vlm
