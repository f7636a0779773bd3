// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "text_config.hpp"

#include <luq/core/error.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config_value.hpp"
#include "rotary_parameters.hpp"

namespace vlm {

namespace {

/// What all decoders have. Without a number of key heads there are those of the defaults, or one for each query head if
/// the defaults have as many or the number is null.
/// @param types  of rotary embeddings that the decoder knows
text_config read_text_config(const json_section& json, const text_config& defaults,
                             std::vector<std::string_view> types) {
  json.require_none("per_layer_config");
  json.require_every("layer_types", "full_attention");
  text_config config;
  config.vocabulary = json.integer("vocab_size", defaults.vocabulary, 1, largest_size);
  config.hidden_size = json.integer("hidden_size", defaults.hidden_size, 1, largest_size);
  config.intermediate_size = json.integer("intermediate_size", defaults.intermediate_size, 1, largest_size);
  config.layers = json.integer("num_hidden_layers", defaults.layers, 1, most_layers);
  config.heads = json.integer("num_attention_heads", defaults.heads, 1, 65536);
  const bool grouped = defaults.key_value_heads != defaults.heads && !json.is_null("num_key_value_heads");
  config.key_value_heads =
      json.integer("num_key_value_heads", grouped ? defaults.key_value_heads : config.heads, 1, config.heads);
  if (json.has("head_dim")) {
    config.head_dim = json.integer("head_dim", 0, 2, 65536);
    require_divisible(json, "head_dim", config.head_dim, "the size of a rotated pair", 2);
  } else {
    require_divisible(json, "hidden_size", config.hidden_size, "2 num_attention_heads", 2 * config.heads);
    config.head_dim = config.hidden_size / config.heads;
  }
  require_divisible(json, "num_attention_heads", config.heads, "num_key_value_heads", config.key_value_heads);
  config.hidden_activation = read_activation(json, "hidden_act", "silu");
  config.rms_norm_epsilon = static_cast<float>(json.positive("rms_norm_eps", defaults.rms_norm_epsilon));
  config.positions = json.integer("max_position_embeddings", defaults.positions, 1, largest_id);
  config.rotary = read_rotary_config(json, {.theta = defaults.rotary.theta,
                                            .types = std::move(types),
                                            .positions = config.positions,
                                            .sections = defaults.rotary.sections,
                                            .head_dim = config.head_dim});
  return config;
}

}  // namespace

text_config read_llama_config(const json_section& json) {
  (void)json.choice("model_type", "", {"llama"});
  text_config config = read_text_config(json, {}, {"default", "linear", "llama3"});
  config.query_key_value_bias = json.boolean("attention_bias", false);
  config.attention_output_bias = config.query_key_value_bias;
  config.mlp_bias = json.boolean("mlp_bias", false);
  return config;
}

text_config read_qwen_text_config(const json_section& json) {
  (void)json.choice("model_type", "", {"qwen2_5_vl_text", "qwen2_5_vl"});
  text_config defaults{.vocabulary = 152064,
                       .hidden_size = 8192,
                       .intermediate_size = 29568,
                       .layers = 80,
                       .heads = 64,
                       .key_value_heads = 8,
                       .positions = 32768,
                       .rms_norm_epsilon = 1e-5f};
  defaults.rotary.theta = 1e6;
  defaults.rotary.sections = {16, 24, 24};
  // "mrope" is Qwen2-VL's old name of the default with sections.
  text_config config = read_text_config(json, defaults, {"default", "linear", "llama3", "mrope"});
  config.query_key_value_bias = true;
  if (config.heads * config.head_dim != config.hidden_size) {
    json.reject("head_dim", "hidden_size / num_attention_heads = " + std::to_string(config.hidden_size / config.heads),
                std::to_string(config.head_dim));
  }
  if (json.boolean("use_sliding_window", false)) {
    luq::fail(luq::errc::unsupported, json.where(), ": use_sliding_window: expected false, got true");
  }
  return config;
}

}  // namespace vlm
