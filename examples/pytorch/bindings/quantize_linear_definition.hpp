// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definition of quantize_linear(), for the files that instantiate it.
#pragma once

#include <luq/quantizers/beam_search.hpp>
#include <luq/quantizers/billm.hpp>
#include <luq/quantizers/gptq.hpp>
#include <luq/quantizers/quantize.hpp>
#include <luq/quantizers/refined.hpp>
#include <luq/quantizers/round_to_nearest.hpp>

#include "bindings.hpp"
#include "quantize_linear.hpp"

namespace luq_python {

template <luq::WeightCodec Codec>
luq::packed_matrix<Codec> quantize_linear(const luq::matrix_view& W, const luq::matrix_view& H, const Codec& codec,
                                          search how, luq::quantize_report& report) {
  const luq::openmp_executor executor = current_executor();
  const auto pack = [&](const auto& quantizer) {
    return luq::pack(luq::quantize_codes(W, H, codec, quantizer, &report, executor));
  };
  if (how == search::nearest) {
    if (H.size() == 0) return luq::quantize(W, codec, luq::round_to_nearest{}, executor);
    return pack(luq::round_to_nearest{});
  }
  if (how == search::block_rule) return pack(luq::billm{});
  if constexpr (luq::SequenceCodec<Codec>) {
    return pack(luq::beam_search{.rounds = 1});
  } else {
    const luq::gptq feedback{.order = luq::column_order::activation};
    if (how == search::feedback) return pack(feedback);
    return pack(luq::refined<>{.start = feedback});
  }
}

}  // namespace luq_python
