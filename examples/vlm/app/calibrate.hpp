// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// One pass of calibration sequences through the float model: the entropy of every decoder layer's outputs and the
// Hessian of every linear's inputs. Memory is that of the Hessians, in float: 4 for each layer.
//
// Hessians weight the tokens of a sequence by the norms of the inputs (luq/estimators/norm_weights.hpp). Entropies
// count every token once: in a k-means a massive token is one point of one cluster.
#pragma once

#include <array>
#include <luq/core/openmp_executor.hpp>
#include <luq/core/progress.hpp>
#include <luq/estimators/activation_entropy.hpp>
#include <luq/estimators/hessian.hpp>
#include <vector>

#include "../engine/vision_language_model.hpp"
#include "calibration_options.hpp"
#include "dataset.hpp"

namespace vlm {

/// What calibration learns of one decoder layer.
struct layer_statistics {
  luq::activation_entropy outputs;
  std::array<luq::hessian, linear_inputs.size()> inputs;  ///< by linear_input

  [[nodiscard]] const luq::hessian& hessian_of(decoder_linear which) const {
    return inputs[static_cast<std::size_t>(input_of(which))];
  }
};

struct calibration {
  std::vector<layer_statistics> layers;
  luq::index sequences = 0;
  luq::index text_tokens = 0;
  luq::index image_tokens = 0;
};

/// Runs `sequences` (of `set`, see mix_sequences) through the model.
/// @throws luq::error invalid_argument for a negative norm_clip; non_finite if the model's activations are; as
///         vision_language_model::forward for a sequence. Those of a sequence name the file and its number.
[[nodiscard]] calibration calibrate(const vision_language_model& model, const calibration_set& set,
                                    const std::vector<calibration_sequence>& sequences,
                                    const calibration_options& options, const luq::openmp_executor& executor,
                                    luq::progress_observer* progress = nullptr);

}  // namespace vlm
