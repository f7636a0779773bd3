// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What turns images into tokens in Qwen2.5-VL: a vision transformer on images of any size, most of whose layers attend
// within windows, and a merger of squares of patches. Keys that a file omits take the defaults of transformers'
// Qwen2_5_VLVisionConfig.
#pragma once

#include <algorithm>
#include <luq/core/index.hpp>
#include <vector>

#include "activation.hpp"
#include "image.hpp"
#include "json_section.hpp"

namespace vlm {

struct qwen_vision_config {
  /// Of all norms, of the merger's too: no configuration has it.
  static constexpr float rms_norm_epsilon = 1e-6f;

  luq::index hidden_size = 3584;
  luq::index intermediate_size = 3420;
  luq::index layers = 32;
  luq::index heads = 16;  ///< hidden_size is a multiple of 4 heads
  luq::index channels = 3;
  luq::index patch_size = 14;          ///< height and width in pixels
  luq::index temporal_patch_size = 2;  ///< frames of a patch; a still image is its own second frame
  luq::index merge_size = 2;           ///< height and width in patches of what becomes a token
  luq::index window_size = 112;        ///< height and width in pixels, >= a token's
  luq::index output_size = 3584;       ///< hidden size of the decoder
  std::vector<luq::index> full_attention_layers{7, 15, 23, 31};
  activation hidden_activation = activation::silu;
  double rotary_theta = 10000.0;

  /// Values of one patch: channels x frames x height x width.
  [[nodiscard]] luq::index patch_values() const noexcept {
    return channels * temporal_patch_size * patch_size * patch_size;
  }

  /// Patches of one token.
  [[nodiscard]] luq::index merged_patches() const noexcept { return merge_size * merge_size; }

  /// Tokens of an image whose grid of patches the merger takes.
  [[nodiscard]] image_grid merged(const image_grid& patches) const noexcept {
    return {patches.height / merge_size, patches.width / merge_size};
  }

  /// Tokens along a side of a window.
  [[nodiscard]] luq::index tokens_per_window_side() const noexcept { return window_size / patch_size / merge_size; }

  [[nodiscard]] bool attends_to_all(luq::index layer) const {
    return std::find(full_attention_layers.begin(), full_attention_layers.end(), layer) != full_attention_layers.end();
  }

  friend bool operator==(const qwen_vision_config&, const qwen_vision_config&) = default;
};

/// @param root    the whole file
/// @param hidden  size of the decoder, which that of the merger must be
/// @throws luq::error as read_llama_config()
[[nodiscard]] qwen_vision_config read_qwen_vision_config(const json_section& root, luq::index hidden);

}  // namespace vlm
