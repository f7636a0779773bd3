// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What turns an image into rows of decoder embeddings: a vision tower and the perceptron behind it. Each architecture
// has its own.
#pragma once

#include <memory>

#include "image.hpp"
#include "model_config.hpp"

namespace vlm {

class weight_reader;

class image_encoder {
 public:
  virtual ~image_encoder() = default;

  /// @throws luq::error shape_mismatch for an image that the model does not take, non_finite if a pixel is no finite
  ///   number
  [[nodiscard]] virtual encoded_images encode(const image& picture) const = 0;
};

/// The encoder of a model.
/// @param vision     reads the tensors of the tower; `projector` those of the perceptron
/// @throws luq::error as the readers
[[nodiscard]] std::shared_ptr<const image_encoder> read_image_encoder(const model_config& config,
                                                                      const weight_reader& vision,
                                                                      const weight_reader& projector);

}  // namespace vlm
