// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The shape of a LLaVA-1.5 model, from the config.json of its Hugging Face directory. Keys that a file omits take the
// defaults of transformers' LlavaConfig, CLIPVisionConfig and LlamaConfig: the file of llava-hf/llava-1.5-7b-hf holds
// only what differs from those. Both spellings of the rotary parameters are read: `rope_theta` and `rope_scaling` of
// transformers 4, `rope_parameters` of transformers 5.
#pragma once

#include <cstdint>
#include <filesystem>
#include <luq/core/matrix_view.hpp>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "activation.hpp"
#include "rotary_embedding.hpp"

namespace vlm {

/// A CLIP vision transformer.
struct vision_config {
  luq::index hidden_size = 768;
  luq::index intermediate_size = 3072;
  luq::index layers = 12;
  luq::index heads = 12;  ///< divides hidden_size
  luq::index channels = 3;
  luq::index image_size = 224;  ///< height and width in pixels
  luq::index patch_size = 32;   ///< height and width in pixels, <= image_size
  activation hidden_activation = activation::quick_gelu;
  float layer_norm_epsilon = 1e-5f;

  /// Patches along one side; pixels beyond the last whole patch are not looked at.
  [[nodiscard]] luq::index patches_per_side() const noexcept { return image_size / patch_size; }
  [[nodiscard]] luq::index patches() const noexcept { return patches_per_side() * patches_per_side(); }
  [[nodiscard]] luq::index pixels() const noexcept { return channels * image_size * image_size; }
};

/// A LLaMA decoder.
struct text_config {
  luq::index vocabulary = 32000;
  luq::index hidden_size = 4096;
  luq::index intermediate_size = 11008;
  luq::index layers = 32;
  luq::index heads = 32;
  luq::index key_value_heads = 32;  ///< divides heads
  luq::index head_dim = 128;        ///< even
  activation hidden_activation = activation::silu;
  float rms_norm_epsilon = 1e-6f;
  bool attention_bias = false;  ///< of all four linears of attention
  bool mlp_bias = false;        ///< of all three linears of the MLP
  rotary_config rotary;
};

/// A LLaVA-1.5 model.
struct model_config {
  vision_config vision;
  text_config text;
  std::int32_t image_token = 32000;  ///< id of the places that image features take; may lie outside the vocabulary
  std::vector<luq::index> feature_states{-2};  ///< vision states that are shown to the decoder, side by side: 0 is the
                                               ///< input of the first layer, l the output of layer l; after reading
                                               ///< never negative
  bool drop_class_token = true;                ///< "default" of vision_feature_select_strategy, not "full"
  activation projector_activation = activation::gelu;
  bool projector_bias = true;
  bool tied_head = false;                      ///< the head multiplies by the table of embeddings
  std::vector<std::int32_t> end_tokens = {2};  ///< ids that end an answer; may be empty

  /// Rows that one image takes in a sequence.
  [[nodiscard]] luq::index tokens_per_image() const noexcept { return vision.patches() + (drop_class_token ? 0 : 1); }
};

/// Reads DIRECTORY/config.json.
/// @throws luq::error io_failure if it cannot be read; corrupt_file if it is no JSON, or a value has the wrong kind,
///   is out of range or contradicts another; unsupported if it describes another architecture
[[nodiscard]] model_config read_model_config(const std::filesystem::path& directory);

/// As above, from JSON in memory.
/// @param source  names the JSON in messages
[[nodiscard]] model_config parse_model_config(const nlohmann::json& root, const std::string& source);

}  // namespace vlm
