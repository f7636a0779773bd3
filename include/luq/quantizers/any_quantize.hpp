// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// quantize.hpp for a codec and a search that are chosen at run time.
#pragma once

#include <concepts>

#include "luq/codecs/any_packed_matrix.hpp"
#include "luq/quantizers/code_search.hpp"

namespace luq {

/// Quantizes and packs weights W [out x in].
/// @param H       [in x in] the Hessian of their inputs; may be empty for code_search::nearest
/// @param report  null if it is not wanted
/// @throws luq::error as quantize_codes()
template <std::same_as<any_codec> Codec>
[[nodiscard]] any_packed_matrix quantize(const matrix_view& W, const matrix_view& H, const Codec& codec,
                                         code_search how, quantize_report* report = nullptr,
                                         executor_ref executor = {});

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/quantizers/templates/any_quantize.hpp"
#endif
