// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "model_config.hpp"

#include <luq/io/strict_json.hpp>
#include <nlohmann/json.hpp>

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

bool is_tied(const json_section& root, const json_section& text) {
  return root.boolean("tie_word_embeddings", false) || text.boolean("tie_word_embeddings", false);
}

model_config read_llava_config(const json_section& root) {
  const json_section text = root.section("text_config");
  model_config config;
  config.vision = read_llava_vision_config(root);
  config.text = read_llama_config(text);
  config.image_token = read_id(root, "image_token_index", read_id(root, "image_token_id", 32000));
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

}  // namespace

model_config parse_model_config(const nlohmann::json& root, const std::string& source) {
  const json_section json(&root, source);
  const bool is_qwen = json.choice("model_type", "llava", {"llava", "qwen2_5_vl"}) == "qwen2_5_vl";
  return is_qwen ? read_qwen_config(json) : read_llava_config(json);
}

model_config read_model_config(const std::filesystem::path& directory) {
  const std::filesystem::path file = directory / "config.json";
  return parse_model_config(luq::read_strict_json(file), file.string());
}

}  // namespace vlm
