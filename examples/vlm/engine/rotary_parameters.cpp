// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "rotary_parameters.hpp"

#include <algorithm>
#include <luq/core/error.hpp>
#include <luq/core/text.hpp>
#include <numeric>
#include <string>

#include "config_value.hpp"

namespace vlm {

namespace {

void require_one(const json_section& json, const char* key) {
  const double factor = json.positive(key, 1.0);
  if (factor != 1.0) luq::fail(luq::errc::unsupported, json.where(), ": ", key, ": expected 1, got ", factor);
}

/// Checks that a type takes all keys that are set.
void require_keys_of(const std::string& type, const json_section& parameters, const rotary_rules& rules) {
  const bool is_stretched = type == "linear" || type == "llama3";
  for (const char* factor : {"partial_rotary_factor", "attention_factor"}) require_one(parameters, factor);
  if (!is_stretched) require_one(parameters, "factor");
  std::vector<std::string_view> keys{"rope_type", "type", "rope_theta", "factor", "original_max_position_embeddings"};
  if (type == "llama3") keys.insert(keys.end(), {"low_freq_factor", "high_freq_factor"});
  if (!rules.sections.empty()) keys.emplace_back("mrope_section");
  keys.insert(keys.end(), {"partial_rotary_factor", "attention_factor"});
  parameters.require_only(keys);
}

std::vector<luq::index> read_sections(const json_section& parameters, const rotary_rules& rules) {
  if (rules.sections.empty()) return {};
  std::vector<luq::index> sections = parameters.integers("mrope_section", rules.sections, 0, largest_size);
  const luq::index pairs = std::accumulate(sections.begin(), sections.end(), luq::index{0});
  if (2 * pairs != rules.head_dim) {
    parameters.reject("mrope_section", "sections of " + std::to_string(rules.head_dim / 2) + " pairs in sum",
                      std::to_string(pairs));
  }
  return sections;
}

/// @param beside  the section that the object is in
rotary_config read_parameters(const json_section& parameters, const json_section& beside, const rotary_rules& rules) {
  rotary_config config;
  config.theta = parameters.positive("rope_theta", beside.positive("rope_theta", rules.theta));
  const char* const type_key = parameters.has("rope_type") ? "rope_type" : "type";
  const std::string type = parameters.choice(type_key, rules.types.front(), rules.types);
  require_keys_of(type, parameters, rules);
  config.sections = read_sections(parameters, rules);
  if (type != "linear" && type != "llama3") return config;

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
  const char* const original = "original_max_position_embeddings";
  config.original_positions =
      beside.positive(original, parameters.positive(original, static_cast<double>(rules.positions)));
  if (!(config.high_frequency_factor > config.low_frequency_factor)) {
    parameters.reject("high_freq_factor", "more than low_freq_factor", luq::text_of(config.high_frequency_factor));
  }
  return config;
}

}  // namespace

rotary_config read_rotary_config(const json_section& json, const rotary_rules& rules) {
  require_one(json, "partial_rotary_factor");
  const json_section scaling = json.section("rope_scaling");
  const json_section parameters = json.section("rope_parameters");
  if (scaling.empty()) return read_parameters(parameters, json, rules);
  rotary_config config = read_parameters(scaling, json, rules);
  if (!parameters.empty() && read_parameters(parameters, json, rules) != config) {
    json.reject("rope_parameters", "the meaning of rope_scaling", "another rotary embedding");
  }
  return config;
}

}  // namespace vlm
