// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "patch_merger.hpp"

#include <luq/core/assert.hpp>

#include "weight_reader.hpp"

namespace vlm {

luq::matrix patch_merger::operator()(const luq::matrix_view& X) const {
  LUQ_ASSERT(X.rows() % patches == 0);
  const luq::matrix normed = norm(X);
  return perceptron(luq::view(normed.data(), X.rows() / patches, patches * X.cols()));
}

patch_merger read_patch_merger(const qwen_vision_config& config, const weight_reader& weights) {
  const luq::index width = config.merged_patches() * config.hidden_size;
  return {weights.rms_norm("ln_q", config.hidden_size, config.rms_norm_epsilon),
          {weights.linear("mlp.0", width, width, true), activation::gelu,
           weights.linear("mlp.2", config.output_size, width, true)},
          config.merged_patches()};
}

}  // namespace vlm
