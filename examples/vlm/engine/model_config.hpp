// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The shape of a model, from the config.json of its Hugging Face directory: of LLaVA-1.5 (Liu et al., arXiv 2310.03744)
// or Qwen2.5-VL (Bai et al., arXiv 2502.13923). Which of them it is, is decided here and nowhere else, by `model_type`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <variant>
#include <vector>

#include "llava_vision_config.hpp"
#include "qwen_vision_config.hpp"
#include "text_config.hpp"
#include "token_sequence.hpp"

namespace vlm {

struct model_config {
  std::variant<llava_vision_config, qwen_vision_config> vision;
  text_config text;
  std::int32_t image_token = 32000;  ///< id of the places that image features take; may lie outside the vocabulary
  std::int32_t video_token = no_image_token;  ///< id of the places of frames of a video, which no encoder here takes
  bool tied_head = false;  ///< the head multiplies by the table of embeddings, if the checkpoint holds only one of them
  std::vector<std::int32_t> end_tokens = {2};  ///< ids that end an answer; may be empty

  friend bool operator==(const model_config&, const model_config&) = default;
};

/// Reads DIRECTORY/config.json.
///
/// A key that stands in another section than transformers looks for it, and would change the model where it belongs, is
/// an error: transformers passes over it without a word.
/// @throws luq::error io_failure if it cannot be read; corrupt_file if it is no JSON, or a value has the wrong kind,
///   is out of range, contradicts another or stands in the wrong section; unsupported if it describes another
///   architecture, layers that differ from one another, or quantized weights
[[nodiscard]] model_config read_model_config(const std::filesystem::path& directory);

/// As above, from JSON in memory.
/// @param source  names the JSON in messages
[[nodiscard]] model_config parse_model_config(const nlohmann::json& root, const std::string& source);

}  // namespace vlm
