// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "model_config.hpp"

#include <luq/core/error.hpp>
#include <luq/io/files/strict_json.hpp>
#include <nlohmann/json.hpp>
#include <string_view>
#include <variant>

#include "config_value.hpp"

namespace vlm {

namespace {

std::int32_t read_id(const json_section& json, const char* key, std::int32_t fallback) {
  return static_cast<std::int32_t>(json.integer(key, fallback, 0, largest_id));
}

std::vector<std::int32_t> read_end_tokens(const json_section& text, luq::index fallback) {
  std::vector<std::int32_t> ids;
  for (const luq::index id : text.integers("eos_token_id", {fallback}, 0, largest_id)) {
    ids.push_back(static_cast<std::int32_t>(id));
  }
  return ids;
}

/// As in transformers, either place will do.
bool is_tied(const json_section& root, const json_section& text) {
  return root.boolean("tie_word_embeddings", false) || text.boolean("tie_word_embeddings", false);
}

model_config read_llava_config(const json_section& root) {
  const json_section text = root.section("text_config");
  model_config config;
  config.vision = read_llava_vision_config(root);
  config.text = read_llama_config(text);
  config.image_token =
      static_cast<std::int32_t>(read_named_twice(root, "image_token_index", "image_token_id", 32000, 0, largest_id));
  config.tied_head = is_tied(root, text);
  config.end_tokens = read_end_tokens(text, 2);
  return config;
}

/// Published files have the keys of the decoder beside the others, those of transformers 4.52 and later apart.
model_config read_qwen_config(const json_section& root) {
  const json_section text = root.has("text_config") ? root.section("text_config") : root;
  model_config config;
  config.text = read_qwen_text_config(text);
  config.vision = read_qwen_vision_config(root, config.text.hidden_size);
  config.image_token = read_id(root, "image_token_id", 151655);
  config.video_token = read_id(root, "video_token_id", 151656);
  config.tied_head = is_tied(root, text);
  config.end_tokens = read_end_tokens(text, 151645);
  return config;
}

model_config read_config(const nlohmann::json& root, const std::string& source) {
  const json_section json(&root, source);
  const bool is_qwen = json.choice("model_type", "llava", {"llava", "qwen2_5_vl"}) == "qwen2_5_vl";
  for (const json_section& section : {json, json.section("text_config")}) {
    section.require_none("per_layer_config");
    section.require_none("quantization_config");
  }
  return is_qwen ? read_qwen_config(json) : read_llava_config(json);
}

/// Keys whose sizes no tensor's shape tells, and the sections where they are sometimes put instead of their own. The
/// name of the root is empty.
struct section_keys {
  std::string_view section;
  std::vector<std::string_view> elsewhere;
  std::vector<const char*> keys;
};

const std::vector<section_keys>& keys_of_sections() {
  static const std::vector<section_keys> all{
      {"text_config",
       {""},
       {"num_attention_heads", "num_key_value_heads", "head_dim", "hidden_act", "rms_norm_eps", "rope_theta",
        "rope_scaling", "rope_parameters", "partial_rotary_factor", "attention_bias", "mlp_bias"}},
      {"vision_config", {""}, {"layer_norm_eps", "num_heads", "window_size", "fullatt_block_indexes"}},
      {"",
       {"text_config", "vision_config"},
       {"projector_hidden_act", "multimodal_projector_bias", "vision_feature_layer",
        "vision_feature_select_strategy"}}};
  return all;
}

/// The object of a section, or null if there is none.
nlohmann::json* find_section(nlohmann::json& root, std::string_view name) {
  if (name.empty()) return &root;
  const auto section = root.find(name);
  return section == root.end() || !section->is_object() ? nullptr : &*section;
}

/// Whether a file with `value` as the key of `section` describes another model than `config`, or none.
bool would_change(const model_config& config, nlohmann::json root, std::string_view section, const char* key,
                  const nlohmann::json& value) {
  (section.empty() ? root : root[std::string(section)])[key] = value;
  try {
    return read_config(root, {}) != config;
  } catch (const luq::error&) {
    return true;
  }
}

/// @param config  what the file describes
void require_keys_in_place(nlohmann::json root, const std::string& source, const model_config& config) {
  const bool is_flat = std::holds_alternative<qwen_vision_config>(config.vision) &&
                       find_section(root, "text_config") == nullptr;  // its root is the section of the decoder
  for (const section_keys& home : keys_of_sections()) {
    if (is_flat && home.section == "text_config") continue;
    const nlohmann::json* const own = find_section(root, home.section);
    for (const std::string_view name : home.elsewhere) {
      const nlohmann::json* const other = find_section(root, name);
      if (other == nullptr) continue;
      for (const char* const key : home.keys) {
        const auto found = other->find(key);
        const bool is_elsewhere_only =
            found != other->end() && !found->is_null() && (own == nullptr || !own->contains(key));
        if (!is_elsewhere_only || !would_change(config, root, home.section, key, *found)) continue;
        const auto place = [](std::string_view section) {
          return section.empty() ? std::string("the outermost object") : std::string(section);
        };
        luq::fail(luq::errc::corrupt_file, source, ": ", key, ": expected in ", place(home.section), ", got it in ",
                  place(name), ", where it means nothing");
      }
    }
  }
}

}  // namespace

model_config parse_model_config(const nlohmann::json& root, const std::string& source) {
  model_config config = read_config(root, source);
  if (root.is_object()) require_keys_in_place(root, source, config);
  return config;
}

model_config read_model_config(const std::filesystem::path& directory) {
  const std::filesystem::path file = directory / "config.json";
  return parse_model_config(luq::read_strict_json(file), file.string());
}

}  // namespace vlm
