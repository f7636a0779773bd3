// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "text_config.hpp"

#include <luq/core/error.hpp>
#include <luq/core/text.hpp>
#include <numeric>
#include <string>

#include "config_value.hpp"

namespace vlm {

namespace {

/// The rotary parameters lie in one object (transformers 5), or beside the sizes with an object for the scaling only.
json_section rotary_section(const json_section& text) {
  return text.section(text.has("rope_parameters") ? "rope_parameters" : "rope_scaling");
}

/// "mrope" is Qwen2-VL's old name of the default with sections.
rotary_config read_rotary_config(const json_section& text, double default_theta, luq::index max_positions) {
  const json_section parameters = rotary_section(text);
  rotary_config config;
  config.theta = parameters.positive("rope_theta", text.positive("rope_theta", default_theta));
  const char* const type_key = parameters.has("rope_type") ? "rope_type" : "type";
  const std::string type = parameters.choice(type_key, "default", {"default", "linear", "llama3", "mrope"});
  if (type == "default" || type == "mrope") return config;

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
    parameters.reject("high_freq_factor", "more than low_freq_factor", luq::text_of(config.high_frequency_factor));
  }
  return config;
}

/// What all decoders have. If the defaults have as many heads of keys as of queries, so has a file that does not say.
text_config read_text_config(const json_section& json, const text_config& defaults) {
  text_config config;
  config.vocabulary = json.integer("vocab_size", defaults.vocabulary, 1, largest_size);
  config.hidden_size = json.integer("hidden_size", defaults.hidden_size, 1, largest_size);
  config.intermediate_size = json.integer("intermediate_size", defaults.intermediate_size, 1, largest_size);
  config.layers = json.integer("num_hidden_layers", defaults.layers, 1, most_layers);
  config.heads = json.integer("num_attention_heads", defaults.heads, 1, 65536);
  const bool grouped = defaults.key_value_heads != defaults.heads;
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
  config.rotary = read_rotary_config(json, defaults.rotary.theta, config.positions);
  return config;
}

}  // namespace

text_config read_llama_config(const json_section& json) {
  (void)json.choice("model_type", "", {"llama"});
  text_config config = read_text_config(json, {});
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
  text_config config = read_text_config(json, defaults);
  config.query_key_value_bias = true;
  config.rotary.sections = rotary_section(json).integers("mrope_section", {16, 24, 24}, 0, largest_size);
  const luq::index pairs = std::accumulate(config.rotary.sections.begin(), config.rotary.sections.end(), luq::index{0});
  if (2 * pairs != config.head_dim) {
    rotary_section(json).reject("mrope_section", "sections of " + std::to_string(config.head_dim / 2) + " pairs in sum",
                                std::to_string(pairs));
  }
  if (json.boolean("use_sliding_window", false)) {
    luq::fail(luq::errc::unsupported, json.where(), ": use_sliding_window: expected false, got true");
  }
  return config;
}

}  // namespace vlm
