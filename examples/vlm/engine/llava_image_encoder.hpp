// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// LLaVA-1.5's way from an image to tokens: states of CLIP's tower side by side, through the projector.
#pragma once

#include "clip_tower.hpp"
#include "image_encoder.hpp"
#include "llava_vision_config.hpp"
#include "projector.hpp"

namespace vlm {

class llava_image_encoder final : public image_encoder {
 public:
  /// @param hidden_size  of the decoder
  llava_image_encoder(const llava_vision_config& config, luq::index hidden_size, const weight_reader& vision,
                      const weight_reader& projector);

  /// @param picture  of channels x image_size x image_size values
  [[nodiscard]] encoded_images encode(const image& picture) const override;

 private:
  llava_vision_config config_;
  clip_tower tower_;
  projector projector_;
};

}  // namespace vlm
