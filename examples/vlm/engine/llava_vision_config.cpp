// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "llava_vision_config.hpp"

#include "config_value.hpp"

namespace vlm {

namespace {

using luq::index;

clip_config read_clip_config(const json_section& json, const clip_config& defaults) {
  (void)json.choice("model_type", "", {"clip_vision_model"});
  json.require_none("per_layer_config");
  clip_config config;
  config.hidden_size = json.integer("hidden_size", defaults.hidden_size, 1, largest_size);
  config.intermediate_size = json.integer("intermediate_size", defaults.intermediate_size, 1, largest_size);
  config.layers = json.integer("num_hidden_layers", defaults.layers, 1, most_layers);
  config.heads = json.integer("num_attention_heads", defaults.heads, 1, largest_size);
  config.channels = json.integer("num_channels", defaults.channels, 1, 1024);
  config.image_size = json.integer("image_size", defaults.image_size, 1, 65536);
  config.patch_size = json.integer("patch_size", defaults.patch_size, 1, config.image_size);
  config.hidden_activation = read_activation(json, "hidden_act", "quick_gelu");
  config.layer_norm_epsilon = static_cast<float>(json.positive("layer_norm_eps", defaults.layer_norm_epsilon));
  require_divisible(json, "hidden_size", config.hidden_size, "num_attention_heads", config.heads);
  return config;
}

/// What LlavaConfig assumes of the vision model if its whole object is absent: CLIP ViT-L/14 at 336 pixels.
constexpr clip_config llava_tower_defaults{.hidden_size = 1024,
                                           .intermediate_size = 4096,
                                           .layers = 24,
                                           .heads = 16,
                                           .channels = 3,
                                           .image_size = 336,
                                           .patch_size = 14,
                                           .hidden_activation = activation::quick_gelu,
                                           .layer_norm_epsilon = 1e-5f};

/// Negative states count from the end, as in Python.
std::vector<index> read_feature_states(const json_section& json, index layers) {
  std::vector<index> states = json.integers("vision_feature_layer", {-2}, -layers - 1, layers);
  if (states.empty()) json.reject("vision_feature_layer", "at least one layer", "[]");
  for (index& state : states) {
    if (state < 0) state += layers + 1;
  }
  return states;
}

}  // namespace

llava_vision_config read_llava_vision_config(const json_section& root) {
  llava_vision_config config;
  config.tower =
      read_clip_config(root.section("vision_config"), root.has("vision_config") ? clip_config{} : llava_tower_defaults);
  config.feature_states = read_feature_states(root, config.tower.layers);
  config.drop_class_token = root.choice("vision_feature_select_strategy", "default", {"default", "full"}) == "default";
  config.projector_activation = read_activation(root, "projector_hidden_act", "gelu");
  config.projector_bias = root.boolean("multimodal_projector_bias", true);
  return config;
}

}  // namespace vlm
