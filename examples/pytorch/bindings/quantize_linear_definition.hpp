// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definition of quantize_linear(), for the files that instantiate it.
#pragma once

#include <luq/quantizers/code_search.hpp>

#include "bindings.hpp"
#include "quantize_linear.hpp"

namespace luq_python {

template <luq::WeightCodec Codec>
luq::packed_matrix<Codec> quantize_linear(const luq::matrix_view& W, const luq::matrix_view& H, const Codec& codec,
                                          luq::code_search how, luq::quantize_report& report) {
  const luq::openmp_executor executor = current_executor();
  if (H.size() == 0 && how == luq::code_search::nearest) {
    return luq::quantize(W, codec, luq::round_to_nearest{}, executor);
  }
  return luq::pack(luq::search_codes(W, H, codec, how, &report, executor));
}

}  // namespace luq_python
