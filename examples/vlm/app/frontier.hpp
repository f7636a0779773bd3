// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What recipes reach on a model's own linears: output error and accuracy against true bits. Codes are
// chosen under the Hessians of one half of the calibration sequences and judged under those of the other half too,
// since a search can be better on the tokens it has seen alone.
#pragma once

#include <utility>
#include <vector>

#include "../report/document.hpp"
#include "calibrate.hpp"
#include "evaluate.hpp"
#include "quantize_decoder.hpp"

namespace vlm {

/// One recipe, over all decoder linears.
struct frontier_point {
  luq::recipe how;
  double true_bits = 0;
  double error = 0;             ///< mean relative output error under the Hessians that codes were chosen by
  double held_out_error = 0;    ///< under those of the other sequences
  double halves_reference = 0;  ///< share of linears with at most half the held-out error of the reference
  double equals_reference = 0;  ///< share with at most the reference's
  double accuracy = 0;          ///< all layers under this recipe
};

/// The sequences of even and of odd place in the mix.
[[nodiscard]] std::pair<std::vector<calibration_sequence>, std::vector<calibration_sequence>> split_sequences(
    const std::vector<calibration_sequence>& sequences);

/// The recipes that a frontier compares; the first is the reference, BiLLM as published.
[[nodiscard]] const std::vector<luq::recipe>& frontier_recipes();

/// Measures each recipe; the first is the reference of the others.
[[nodiscard]] std::vector<frontier_point> measure_frontier(const vision_language_model& model, const calibration& seen,
                                                           const calibration& held_out, const examination& exam,
                                                           const std::vector<luq::recipe>& recipes,
                                                           const luq::openmp_executor& executor,
                                                           luq::progress_observer* progress = nullptr);

[[nodiscard]] table frontier_table(const std::vector<frontier_point>& points);

/// Held-out error against true bits.
[[nodiscard]] chart frontier_chart(const std::vector<frontier_point>& points);

}  // namespace vlm
