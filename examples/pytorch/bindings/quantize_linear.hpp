// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The searches for codes that luq-vlm offers, under the same names and with the same options, so that the same weights,
// Hessian, codec and search give the same bytes. Declared here and instantiated for each codec in quantize_*.cpp: they
// take most of the time of compiling this module.
#pragma once

#include <luq/codecs/packed_matrix.hpp>
#include <luq/quantizers/quantizer.hpp>
#include <string_view>

namespace luq_python {

/// How codes are chosen.
enum class search {
  nearest,     ///< luq::round_to_nearest
  feedback,    ///< luq::gptq in activation order; for a codec whose codes form a sequence as `best`
  block_rule,  ///< luq::billm as published
  best,        ///< luq::refined after feedback, or luq::beam_search where codes form a sequence
};

/// @throws luq::error invalid_argument for another name than "nearest", "feedback", "block rule" and "best"
[[nodiscard]] search parse_search(std::string_view name);

/// Quantizes and packs W [out x in].
/// @param H  [in x in] the Hessian of its inputs; empty for search::nearest
/// @throws luq::error as luq::quantize_codes
template <luq::WeightCodec Codec>
[[nodiscard]] luq::packed_matrix<Codec> quantize_linear(const luq::matrix_view& W, const luq::matrix_view& H,
                                                        const Codec& codec, search how, luq::quantize_report& report);

}  // namespace luq_python
