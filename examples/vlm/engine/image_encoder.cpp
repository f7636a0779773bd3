// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "image_encoder.hpp"

#include "llava_image_encoder.hpp"
#include "qwen_image_encoder.hpp"

namespace vlm {

namespace {

struct encoder_reader {
  luq::index hidden_size;
  const weight_reader& vision;
  const weight_reader& projector;

  std::shared_ptr<const image_encoder> operator()(const llava_vision_config& config) const {
    return std::make_shared<const llava_image_encoder>(config, hidden_size, vision, projector);
  }
  std::shared_ptr<const image_encoder> operator()(const qwen_vision_config& config) const {
    return std::make_shared<const qwen_image_encoder>(config, vision, projector);
  }
};

}  // namespace

std::shared_ptr<const image_encoder> read_image_encoder(const model_config& config, const weight_reader& vision,
                                                        const weight_reader& projector) {
  return std::visit(encoder_reader{config.text.hidden_size, vision, projector}, config.vision);
}

}  // namespace vlm
