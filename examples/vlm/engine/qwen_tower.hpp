// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The vision transformer of Qwen2.5-VL (Bai et al., arXiv 2502.13923). On one row per patch,
//
//   X  = patches * conv                                            the convolution over frames, rows and columns
//   X += proj(attention(rotate(q(N1)), rotate(k(N1)), v(N1)))      N1 = rms_norm(X), q k v from one product
//   X += down(silu(gate(N2)) * up(N2))                             N2 = rms_norm(X)
//
// A patch sees its window (window_order.hpp), in a few layers the whole image. The first half of a head's pairs turns
// with the patch's row, the second with its column, with the same frequencies. There is no class token and no table of
// positions. Still images only: a video has a time axis too.
#pragma once

#include <luq/core/matrix_view.hpp>
#include <span>
#include <vector>

#include "activation.hpp"
#include "attention.hpp"
#include "image.hpp"
#include "linear.hpp"
#include "normalization.hpp"
#include "qwen_vision_config.hpp"
#include "rotary_embedding.hpp"

namespace vlm {

class weight_reader;

/// One layer.
class qwen_vision_layer {
 public:
  qwen_vision_layer(const qwen_vision_config& config, const weight_reader& weights);

  /// Replaces X [patches x hidden] by the layer's output.
  /// @param segments  sizes of the runs of rows that attend to themselves alone
  void forward(luq::matrix& X, const rotary_table& rotation, std::span<const luq::index> segments) const;

 private:
  attention_heads heads_;
  activation activation_;
  rms_norm attention_norm_, mlp_norm_;
  linear query_key_value_, output_, gate_, up_, down_;
};

class qwen_tower {
 public:
  qwen_tower(const qwen_vision_config& config, const weight_reader& weights);

  /// The rows after the last layer, [patches x hidden], in the order of the patches that are given.
  /// @param picture  patches [patches x channels * frames * height * width]: those of a token side by side, tokens row
  ///   by row, and in each token its patches row by row
  /// @throws luq::error shape_mismatch for an image without a grid, for a grid that is not of whole tokens, and for
  ///   another number of values than it says; non_finite if one is no finite number
  [[nodiscard]] luq::matrix operator()(const image& picture) const;

 private:
  /// The place of each patch, in the order in which they are given: its row and column, at time 0.
  [[nodiscard]] std::vector<token_position> positions(const image_grid& grid) const;

  void require_fit(const image& picture) const;

  qwen_vision_config config_;
  linear patch_embedding_;  // the convolution as a product: [hidden x patch values]
  rotary_pairs rotary_;
  std::vector<qwen_vision_layer> layers_;
};

}  // namespace vlm
