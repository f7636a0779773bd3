// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "qwen_image_encoder.hpp"

namespace vlm {

qwen_image_encoder::qwen_image_encoder(const qwen_vision_config& config, const weight_reader& vision,
                                       const weight_reader& merger)
    : config_(config), tower_(config, vision), merger_(read_patch_merger(config, merger)) {}

encoded_images qwen_image_encoder::encode(const image& picture) const {
  return {merger_(tower_(picture)), {config_.merged(*picture.grid)}};
}

}  // namespace vlm
