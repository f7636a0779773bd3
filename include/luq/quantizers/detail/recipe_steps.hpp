// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A recipe carried out for one codec.
#pragma once

#include "luq/codecs/recipe.hpp"
#include "luq/quantizers/quantize.hpp"

namespace luq::detail {

/// Quantizes and packs problem.W by the transform and the search of `how`; what `how` says of the codec and of drift is
/// the caller's affair.
template <WeightCodec Codec>
[[nodiscard]] quantized_linear<Codec> quantize_by_recipe(const linear_problem& problem, const recipe& how,
                                                         const Codec& codec, const quantize_context& context);

}  // namespace luq::detail
