// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "clip_tower.hpp"

#include <luq/core/error.hpp>
#include <memory>
#include <string>
#include <utility>

#include "image.hpp"
#include "weight_reader.hpp"

namespace vlm {

clip_layer::clip_layer(const clip_config& config, const weight_reader& weights)
    : heads_{config.heads, config.heads, config.hidden_size / config.heads},
      activation_(config.hidden_activation),
      attention_norm_(weights.layer_norm("layer_norm1", config.hidden_size, config.layer_norm_epsilon)),
      mlp_norm_(weights.layer_norm("layer_norm2", config.hidden_size, config.layer_norm_epsilon)),
      query_(weights.linear("self_attn.q_proj", config.hidden_size, config.hidden_size, true)),
      key_(weights.linear("self_attn.k_proj", config.hidden_size, config.hidden_size, true)),
      value_(weights.linear("self_attn.v_proj", config.hidden_size, config.hidden_size, true)),
      output_(weights.linear("self_attn.out_proj", config.hidden_size, config.hidden_size, true)),
      up_(weights.linear("mlp.fc1", config.intermediate_size, config.hidden_size, true)),
      down_(weights.linear("mlp.fc2", config.hidden_size, config.intermediate_size, true)) {}

void clip_layer::forward(luq::matrix& X) const {
  luq::matrix normed = attention_norm_(X);
  luq::matrix heads(X.rows(), X.cols());
  attend(heads_, attention_mask::none, query_(normed), key_(normed), value_(normed), heads);
  X += output_(heads);

  normed = mlp_norm_(X);
  luq::matrix hidden = up_(normed);
  apply(activation_, hidden);
  X += down_(hidden);
}

clip_tower::clip_tower(const clip_config& config, luq::index layers, const weight_reader& weights)
    : config_(config),
      patch_embedding_(std::make_shared<const luq::matrix>(
          weights.matrix("embeddings.patch_embedding.weight",
                         {config.hidden_size, config.channels, config.patch_size, config.patch_size}))),
      class_token_(weights.vector("embeddings.class_embedding", config.hidden_size)),
      positions_(weights.matrix("embeddings.position_embedding.weight", {1 + config.patches(), config.hidden_size})),
      norm_(weights.layer_norm("pre_layrnorm", config.hidden_size, config.layer_norm_epsilon)) {
  LUQ_ASSERT(layers >= 0 && layers <= config.layers);
  layers_.reserve(static_cast<std::size_t>(layers));
  for (luq::index number = 0; number < layers; ++number) {
    layers_.emplace_back(config, weights.part("encoder.layers." + std::to_string(number) + "."));
  }
}

std::vector<luq::matrix> clip_tower::states(std::span<const float> pixels) const {
  if (static_cast<luq::index>(pixels.size()) != config_.pixels()) {
    luq::fail(luq::errc::shape_mismatch, "image: expected ", config_.pixels(), " values for ", config_.channels, " x ",
              config_.image_size, " x ", config_.image_size, ", got ", pixels.size());
  }
  require_finite(pixels);
  luq::matrix rows(1 + config_.patches(), config_.hidden_size);
  rows.row(0) = class_token_;
  rows.bottomRows(config_.patches()) = patch_embedding_(cut_patches(pixels));
  rows += positions_;

  std::vector<luq::matrix> result{norm_(rows)};
  for (const clip_layer& layer : layers_) {
    luq::matrix X = result.back();
    layer.forward(X);
    result.push_back(std::move(X));
  }
  return result;
}

/// One row per patch, its elements in the order of the convolution's weights: channel, y, x.
luq::matrix clip_tower::cut_patches(std::span<const float> pixels) const {
  const luq::index size = config_.image_size;
  const luq::index patch = config_.patch_size;
  const luq::index side = config_.patches_per_side();
  luq::matrix patches(config_.patches(), config_.channels * patch * patch);
  for (luq::index row = 0; row < patches.rows(); ++row) {
    const luq::index top = row / side * patch;
    const luq::index left = row % side * patch;
    for (luq::index channel = 0; channel < config_.channels; ++channel) {
      const float* const plane = pixels.data() + channel * size * size;
      luq::view(&patches(row, channel * patch * patch), patch, patch) =
          luq::view(plane + top * size + left, patch, patch, size);
    }
  }
  return patches;
}

}  // namespace vlm
