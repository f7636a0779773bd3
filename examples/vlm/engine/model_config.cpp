// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "model_config.hpp"

#include <limits>
#include <luq/core/error.hpp>
#include <luq/io/strict_json.hpp>
#include <nlohmann/json.hpp>

#include "json_section.hpp"

namespace vlm {

namespace {

using luq::index;

// Far above every published model, and low enough that products of two sizes cannot overflow.
constexpr index largest_size = index{1} << 24;
constexpr index most_layers = 4096;
constexpr index largest_id = std::numeric_limits<std::int32_t>::max();

activation read_activation(const json_section& json, const char* key, std::string_view fallback) {
  const std::string name = json.choice(key, fallback, {"gelu", "quick_gelu", "silu"});
  return name == "gelu" ? activation::gelu : name == "silu" ? activation::silu : activation::quick_gelu;
}

void require_divisible(const json_section& json, const char* key, index value, const char* by, index divisor) {
  if (value % divisor != 0) {
    json.reject(key, std::string("a multiple of ") + by + " = " + std::to_string(divisor), std::to_string(value));
  }
}

vision_config read_vision_config(const json_section& json, const vision_config& defaults) {
  (void)json.choice("model_type", "", {"clip_vision_model"});
  vision_config config;
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

/// The rotary parameters lie in one object (transformers 5), or beside the sizes with an object for the scaling only.
rotary_config read_rotary_config(const json_section& text, index max_positions) {
  const json_section parameters = text.section(text.has("rope_parameters") ? "rope_parameters" : "rope_scaling");
  rotary_config config;
  config.theta = parameters.positive("rope_theta", text.positive("rope_theta", config.theta));
  const char* const type_key = parameters.has("rope_type") ? "rope_type" : "type";
  const std::string type = parameters.choice(type_key, "default", {"default", "linear", "llama3"});
  if (type == "default") return config;

  if (!parameters.has("factor")) parameters.reject("factor", "a number > 0", "none");
  config.factor = parameters.positive("factor", 1.0);
  config.scaling = rotary_scaling::linear;
  if (type == "linear") return config;

  config.scaling = rotary_scaling::llama3;
  for (const char* key : {"low_freq_factor", "high_freq_factor"}) {
    if (!parameters.has(key)) parameters.reject(key, "a number > 0", "none");
  }
  config.low_frequency_factor = parameters.positive("low_freq_factor", 1.0);
  config.high_frequency_factor = parameters.positive("high_freq_factor", 4.0);
  config.original_positions =
      parameters.positive("original_max_position_embeddings", static_cast<double>(max_positions));
  if (!(config.high_frequency_factor > config.low_frequency_factor)) {
    parameters.reject("high_freq_factor", "more than low_freq_factor", std::to_string(config.high_frequency_factor));
  }
  return config;
}

text_config read_text_config(const json_section& json) {
  (void)json.choice("model_type", "", {"llama"});
  const text_config defaults;
  text_config config;
  config.vocabulary = json.integer("vocab_size", defaults.vocabulary, 1, largest_size);
  config.hidden_size = json.integer("hidden_size", defaults.hidden_size, 1, largest_size);
  config.intermediate_size = json.integer("intermediate_size", defaults.intermediate_size, 1, largest_size);
  config.layers = json.integer("num_hidden_layers", defaults.layers, 1, most_layers);
  config.heads = json.integer("num_attention_heads", defaults.heads, 1, 65536);
  config.key_value_heads = json.integer("num_key_value_heads", config.heads, 1, config.heads);
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
  config.attention_bias = json.boolean("attention_bias", defaults.attention_bias);
  config.mlp_bias = json.boolean("mlp_bias", defaults.mlp_bias);
  config.rotary = read_rotary_config(json, json.integer("max_position_embeddings", 2048, 1, largest_id));
  return config;
}

/// What LlavaConfig assumes of the vision model if its whole object is absent: CLIP ViT-L/14 at 336 pixels.
constexpr vision_config llava_vision_defaults{.hidden_size = 1024,
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

model_config parse_model_config(const nlohmann::json& root, const std::string& source) {
  const json_section json(&root, source);
  (void)json.choice("model_type", "", {"llava"});
  model_config config;
  config.vision = read_vision_config(json.section("vision_config"),
                                     json.has("vision_config") ? vision_config{} : llava_vision_defaults);
  const json_section text = json.section("text_config");
  config.text = read_text_config(text);
  config.image_token = static_cast<std::int32_t>(
      json.integer("image_token_index", json.integer("image_token_id", 32000, 0, largest_id), 0, largest_id));
  config.feature_states = read_feature_states(json, config.vision.layers);

  config.drop_class_token = json.choice("vision_feature_select_strategy", "default", {"default", "full"}) == "default";
  config.projector_activation = read_activation(json, "projector_hidden_act", "gelu");
  config.projector_bias = json.boolean("multimodal_projector_bias", true);
  config.tied_head = json.boolean("tie_word_embeddings", false) || text.boolean("tie_word_embeddings", false);

  config.end_tokens.clear();
  for (const index id : text.integers("eos_token_id", {2}, 0, largest_id)) {
    config.end_tokens.push_back(static_cast<std::int32_t>(id));
  }
  return config;
}

model_config read_model_config(const std::filesystem::path& directory) {
  const std::filesystem::path file = directory / "config.json";
  return parse_model_config(luq::read_strict_json(file), file.string());
}

}  // namespace vlm
