// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "qwen_tower.hpp"

#include <luq/core/assert.hpp>
#include <luq/core/error.hpp>
#include <memory>
#include <string>

#include "weight_reader.hpp"
#include "window_order.hpp"

namespace vlm {

namespace {

/// As many frequencies as pairs that turn with the row, and the same again for the column.
rotary_pairs make_grid_rotary_pairs(const qwen_vision_config& config) {
  const luq::index head_dim = config.hidden_size / config.heads;
  const Eigen::RowVectorXf along_axis = rotary_frequencies({.theta = config.rotary_theta}, head_dim / 2);
  rotary_pairs pairs{Eigen::RowVectorXf(2 * along_axis.size()), {}};
  pairs.frequencies << along_axis, along_axis;
  const auto half = static_cast<std::size_t>(along_axis.size());
  pairs.axes.resize(half, position_axis::height);
  pairs.axes.resize(2 * half, position_axis::width);
  return pairs;
}

/// Blocks of `unit` rows, block i of the result being block order[i] of X.
luq::matrix gather_blocks(const luq::matrix& X, std::span<const luq::index> order, luq::index unit) {
  luq::matrix result(X.rows(), X.cols());
  luq::index place = 0;
  for (const luq::index block : order) {
    result.middleRows(place, unit) = X.middleRows(block * unit, unit);
    place += unit;
  }
  return result;
}

/// Undoes gather_blocks().
luq::matrix scatter_blocks(const luq::matrix& X, std::span<const luq::index> order, luq::index unit) {
  luq::matrix result(X.rows(), X.cols());
  luq::index place = 0;
  for (const luq::index block : order) {
    result.middleRows(block * unit, unit) = X.middleRows(place, unit);
    place += unit;
  }
  return result;
}

}  // namespace

qwen_vision_layer::qwen_vision_layer(const qwen_vision_config& config, const weight_reader& weights)
    : heads_{config.heads, config.heads, config.hidden_size / config.heads},
      activation_(config.hidden_activation),
      attention_norm_(weights.rms_norm("norm1", config.hidden_size, config.rms_norm_epsilon)),
      mlp_norm_(weights.rms_norm("norm2", config.hidden_size, config.rms_norm_epsilon)),
      query_key_value_(weights.linear("attn.qkv", 3 * config.hidden_size, config.hidden_size, true)),
      output_(weights.linear("attn.proj", config.hidden_size, config.hidden_size, true)),
      gate_(weights.linear("mlp.gate_proj", config.intermediate_size, config.hidden_size, true)),
      up_(weights.linear("mlp.up_proj", config.intermediate_size, config.hidden_size, true)),
      down_(weights.linear("mlp.down_proj", config.hidden_size, config.intermediate_size, true)) {}

void qwen_vision_layer::forward(luq::matrix& X, const rotary_table& rotation,
                                std::span<const luq::index> segments) const {
  const luq::index width = X.cols();
  luq::matrix projected = query_key_value_(attention_norm_(X));  // [patches x 3 hidden]
  rotation.rotate(projected.leftCols(2 * width));
  luq::matrix heads(X.rows(), width);
  luq::index first = 0;
  for (const luq::index rows : segments) {
    const auto segment = projected.middleRows(first, rows);
    attend(heads_, attention_mask::none, segment.leftCols(width), segment.middleCols(width, width),
           segment.rightCols(width), heads.middleRows(first, rows));
    first += rows;
  }
  LUQ_ASSERT(first == X.rows());
  X += output_(heads);

  const luq::matrix normed = mlp_norm_(X);
  luq::matrix gated = gate_(normed);
  apply(activation_, gated);
  gated.array() *= up_(normed).array();
  X += down_(gated);
}

qwen_tower::qwen_tower(const qwen_vision_config& config, const weight_reader& weights)
    : config_(config),
      patch_embedding_(std::make_shared<const luq::matrix>(weights.matrix(
          "patch_embed.proj.weight",
          {config.hidden_size, config.channels, config.temporal_patch_size, config.patch_size, config.patch_size}))),
      rotary_(make_grid_rotary_pairs(config)) {
  layers_.reserve(static_cast<std::size_t>(config.layers));
  for (luq::index number = 0; number < config.layers; ++number) {
    layers_.emplace_back(config, weights.part("blocks." + std::to_string(number) + "."));
  }
}

luq::matrix qwen_tower::operator()(const image& picture) const {
  require_fit(picture);
  const image_grid& grid = *picture.grid;
  const luq::index unit = config_.merged_patches();
  const window_order windows = order_by_windows(config_.merged(grid), config_.tokens_per_window_side());
  std::vector<luq::index> window_patches;
  for (const luq::index tokens : windows.sizes) window_patches.push_back(tokens * unit);
  const std::vector<luq::index> whole{grid.cells()};

  const std::vector<token_position> given = positions(grid);
  std::vector<token_position> ordered;
  for (const luq::index token : windows.tokens) {
    const auto begin = given.begin() + token * unit;
    ordered.insert(ordered.end(), begin, begin + unit);
  }
  const rotary_table rotation(rotary_, ordered);

  const auto patches = luq::view(picture.pixels.data(), grid.cells(), config_.patch_values());
  luq::matrix X = gather_blocks(patch_embedding_(patches), windows.tokens, unit);
  for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
    const bool sees_all = config_.attends_to_all(static_cast<luq::index>(layer));
    layers_[layer].forward(X, rotation, sees_all ? whole : window_patches);
  }
  return scatter_blocks(X, windows.tokens, unit);
}

std::vector<token_position> qwen_tower::positions(const image_grid& grid) const {
  const luq::index side = config_.merge_size;
  const image_grid tokens = config_.merged(grid);
  std::vector<token_position> result;
  result.reserve(static_cast<std::size_t>(grid.cells()));
  for (luq::index token = 0; token < tokens.cells(); ++token) {
    for (luq::index patch = 0; patch < side * side; ++patch) {
      result.push_back({0, token / tokens.width * side + patch / side, token % tokens.width * side + patch % side});
    }
  }
  return result;
}

void qwen_tower::require_fit(const image& picture) const {
  if (!picture.grid) {
    luq::fail(luq::errc::shape_mismatch, "image: expected patches and their grid, got the pixels of a whole picture");
  }
  const auto [height, width] = *picture.grid;
  if (height < 1 || width < 1 || height % config_.merge_size != 0 || width % config_.merge_size != 0) {
    luq::fail(luq::errc::shape_mismatch, "image: expected a grid of multiples of ", config_.merge_size,
              " patches, got ", height, " x ", width);
  }
  const auto values = static_cast<luq::index>(picture.pixels.size());
  const luq::index patches = values / config_.patch_values();
  if (values % config_.patch_values() != 0 || height > patches / width || height * width != patches) {
    luq::fail(luq::errc::shape_mismatch, "image: expected ", config_.patch_values(), " values for each of ", height,
              " x ", width, " patches, got ", values, " in all");
  }
  require_finite(picture.pixels);
}

}  // namespace vlm
