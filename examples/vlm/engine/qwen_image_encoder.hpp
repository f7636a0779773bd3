// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Qwen2.5-VL's way from an image to tokens: its tower, and the merger of squares of patches.
#pragma once

#include "image_encoder.hpp"
#include "patch_merger.hpp"
#include "qwen_tower.hpp"
#include "qwen_vision_config.hpp"

namespace vlm {

class qwen_image_encoder final : public image_encoder {
 public:
  qwen_image_encoder(const qwen_vision_config& config, const weight_reader& vision, const weight_reader& merger);

  /// @param picture  as qwen_tower takes it
  [[nodiscard]] encoded_images encode(const image& picture) const override;

 private:
  qwen_vision_config config_;
  qwen_tower tower_;
  patch_merger merger_;
};

}  // namespace vlm
