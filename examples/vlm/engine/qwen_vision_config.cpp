// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "qwen_vision_config.hpp"

#include <string>

#include "config_value.hpp"
#include "rotary_parameters.hpp"

namespace vlm {

qwen_vision_config read_qwen_vision_config(const json_section& root, luq::index hidden) {
  const json_section json = root.section("vision_config");
  (void)json.choice("model_type", "", {"qwen2_5_vl_vision", "qwen2_5_vl"});
  json.require_none("per_layer_config");
  const qwen_vision_config defaults;
  qwen_vision_config config;
  config.hidden_size = json.integer("hidden_size", defaults.hidden_size, 1, largest_size);
  config.intermediate_size = json.integer("intermediate_size", defaults.intermediate_size, 1, largest_size);
  config.layers = read_named_twice(json, "depth", "num_hidden_layers", defaults.layers, 1, most_layers);
  config.heads = read_named_twice(json, "num_heads", "num_attention_heads", defaults.heads, 1, 65536);
  config.channels = json.integer("in_channels", defaults.channels, 1, 1024);
  config.patch_size = json.integer("patch_size", defaults.patch_size, 1, 1024);
  config.temporal_patch_size = json.integer("temporal_patch_size", defaults.temporal_patch_size, 1, 1024);
  config.merge_size = json.integer("spatial_merge_size", defaults.merge_size, 1, 1024);
  config.window_size =
      json.integer("window_size", defaults.window_size, config.patch_size * config.merge_size, largest_size);
  config.output_size = json.integer("out_hidden_size", defaults.output_size, 1, largest_size);
  config.full_attention_layers = json.integers("fullatt_block_indexes", defaults.full_attention_layers, 0, most_layers);
  config.hidden_activation = read_activation(json, "hidden_act", "silu");
  // "default" is an old name of the axial embedding.
  config.rotary_theta = read_rotary_config(json, {.theta = defaults.rotary_theta, .types = {"axial", "default"}}).theta;
  require_divisible(json, "hidden_size", config.hidden_size, "4 num_heads", 4 * config.heads);
  const luq::index head_dim = config.hidden_size / config.heads;
  if (json.integer("head_dim", head_dim, 1, largest_size) != head_dim) {
    json.reject("head_dim", "hidden_size / num_heads = " + std::to_string(head_dim), "another");
  }
  if (config.output_size != hidden) {
    json.reject("out_hidden_size", "hidden_size of the decoder, " + std::to_string(hidden),
                std::to_string(config.output_size));
  }
  return config;
}

}  // namespace vlm
