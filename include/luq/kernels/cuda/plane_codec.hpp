// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Which codecs have products on a GPU.
#pragma once

#include "luq/codecs/detail/component_form.hpp"
#include "luq/codecs/weight_codec.hpp"

namespace luq::cuda {

/// A codec whose components are sums of symbols of its planes, or products of two bits: int, sign, ternary, bcq2,
/// BiLLM. Codecs of tables (Lloyd, trellis) are none.
template <class Codec>
concept PlaneCodec = WeightCodec<Codec> && luq::detail::has_exact_forms<Codec>;

}  // namespace luq::cuda
