// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Searches for codes by name (luq/quantizers/code_search.hpp), those of luq-vlm, so that the same weights, Hessian,
// codec and search give the same bytes. Declared here and instantiated for each codec in quantize_*.cpp: they take most
// of the time of compiling this module.
#pragma once

#include <luq/codecs/packed_matrix.hpp>
#include <luq/quantizers/code_search.hpp>
#include <luq/quantizers/quantizer.hpp>

namespace luq_python {

/// Quantizes and packs W [out x in].
/// @param H  [in x in] the Hessian of its inputs; empty for luq::code_search::nearest
/// @throws luq::error as luq::quantize_codes
template <luq::WeightCodec Codec>
[[nodiscard]] luq::packed_matrix<Codec> quantize_linear(const luq::matrix_view& W, const luq::matrix_view& H,
                                                        const Codec& codec, luq::code_search how,
                                                        luq::quantize_report& report);

}  // namespace luq_python
