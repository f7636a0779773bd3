// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Quantization after a random rotation of the inputs (hadamard_rotation.hpp), the incoherence processing of QuIP#
// (Tseng et al., ICML 2024, section 3) for any codec and any quantizer. Rotated weights are nearly Gaussian, which
// suits codecs with few values: no outlier stretches them. On the golden linears of the tests (synthetic, heavy-tailed,
// with outlier channels) gptq in activation order loses 2 to 4 times less output with it, for every codec from one to
// four bits. It does not help weights whose outliers the codec has a place for (billm_codec, whole salient columns),
// nor an odd number of inputs, and it costs n log n additions for every token: measure it (output_error.hpp).
//
// Not QuIP#: rows are not rotated, and codes are those of the given codec, not of the E8 lattice.
#pragma once

#include "luq/codecs/hadamard_rotation.hpp"
#include "luq/quantizers/quantize_transformed.hpp"

namespace luq {

/// Quantizes and packs W [out x in] under the Hessian H [in x in] of its inputs, after a rotation of them.
/// @param report  filled if not null; its loss and damping are those of the rotated problem
/// @throws luq::error as quantize_codes, and invalid_argument for a block that does not fit
template <WeightCodec Codec, Quantizer Q>
[[nodiscard]] transformed_matrix<Codec, hadamard_rotation> quantize_rotated(const matrix_view& W, const matrix_view& H,
                                                                            const Codec& codec, const Q& quantizer,
                                                                            const rotation_options& rotation = {},
                                                                            quantize_report* report = nullptr,
                                                                            executor_ref executor = {}) {
  return quantize_transformed(W, H, hadamard_rotation(W.cols(), rotation), codec, quantizer, report, executor);
}

}  // namespace luq
