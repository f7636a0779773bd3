// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// CLIP's vision transformer (Radford et al., arXiv 2103.00020) as LLaVA uses it: without pooling and without the last
// norm, up to the last layer whose output is asked for. On rows [class token, patches row by row],
//
//   X  = layer_norm([class, patches * conv] + positions)
//   X += out(attention(q(N1), k(N1), v(N1)))     N1 = layer_norm(X), every token sees every token
//   X += fc2(act(fc1(N2)))                       N2 = layer_norm(X)
#pragma once

#include <luq/core/matrix_view.hpp>
#include <span>
#include <vector>

#include "attention.hpp"
#include "linear.hpp"
#include "llava_vision_config.hpp"
#include "normalization.hpp"

namespace vlm {

class weight_reader;

/// One encoder layer.
class clip_layer {
 public:
  clip_layer(const clip_config& config, const weight_reader& weights);

  /// Replaces X [tokens x hidden] by the layer's output.
  void forward(luq::matrix& X) const;

 private:
  attention_heads heads_;
  activation activation_;
  layer_norm attention_norm_, mlp_norm_;
  linear query_, key_, value_, output_, up_, down_;
};

class clip_tower {
 public:
  /// Reads the tensors of the first `layers` layers and of what lies before them.
  clip_tower(const clip_config& config, luq::index layers, const weight_reader& weights);

  /// The rows at the input of the first layer and after each layer: layers + 1 matrices [1 + patches x hidden].
  /// @param pixels  [channels x image_size x image_size], normalized as the model expects
  /// @throws luq::error shape_mismatch for another number of pixels, non_finite if one is no finite number
  [[nodiscard]] std::vector<luq::matrix> states(std::span<const float> pixels) const;

 private:
  [[nodiscard]] luq::matrix cut_patches(std::span<const float> pixels) const;

  clip_config config_;
  linear patch_embedding_;  // the convolution as a product: [hidden x channels * patch * patch]
  Eigen::RowVectorXf class_token_;
  luq::matrix positions_;  // [1 + patches x hidden]
  layer_norm norm_;
  std::vector<clip_layer> layers_;
};

}  // namespace vlm
