// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What makes a token of Qwen2.5-VL's decoder of a square of patches: each is normalized, and a perceptron takes them
// side by side.
#pragma once

#include <luq/core/matrix_view.hpp>

#include "normalization.hpp"
#include "projector.hpp"
#include "qwen_vision_config.hpp"

namespace vlm {

class weight_reader;

struct patch_merger {
  rms_norm norm;         ///< of one patch
  projector perceptron;  ///< [decoder hidden x patches of a token * tower hidden]
  luq::index patches;    ///< of a token

  /// @param X  [tokens * patches x tower hidden], the patches of a token one after the other
  /// @return [tokens x decoder hidden]
  [[nodiscard]] luq::matrix operator()(const luq::matrix_view& X) const;
};

[[nodiscard]] patch_merger read_patch_merger(const qwen_vision_config& config, const weight_reader& weights);

}  // namespace vlm
