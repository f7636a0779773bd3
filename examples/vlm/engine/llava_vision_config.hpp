// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What turns images into tokens in LLaVA-1.5: CLIP's vision transformer, of which some states are taken, and a
// two-layer perceptron. Keys that a file omits take the defaults of transformers' LlavaConfig and CLIPVisionConfig: the
// file of llava-hf/llava-1.5-7b-hf holds only what differs from those.
#pragma once

#include <luq/core/index.hpp>
#include <vector>

#include "activation.hpp"
#include "json_section.hpp"

namespace vlm {

/// A CLIP vision transformer.
struct clip_config {
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

  friend bool operator==(const clip_config&, const clip_config&) = default;
};

struct llava_vision_config {
  clip_config tower;
  std::vector<luq::index> feature_states{-2};  ///< states of the tower that are shown to the decoder, side by side: 0
                                               ///< is the input of the first layer, l the output of layer l; after
                                               ///< reading never negative
  bool drop_class_token = true;                ///< "default" of vision_feature_select_strategy, not "full"
  activation projector_activation = activation::gelu;
  bool projector_bias = true;

  /// Rows that one image takes in a sequence.
  [[nodiscard]] luq::index tokens_per_image() const noexcept { return tower.patches() + (drop_class_token ? 0 : 1); }

  friend bool operator==(const llava_vision_config&, const llava_vision_config&) = default;
};

/// @param root  the whole file
/// @throws luq::error as read_llama_config()
[[nodiscard]] llava_vision_config read_llava_vision_config(const json_section& root);

}  // namespace vlm
