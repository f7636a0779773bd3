// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "header_only.hpp"

#include <luq/luq.hpp>

#ifdef LUQ_COMPILED
#error "this unit is to use headers only"
#endif

namespace mixed_modes {

luq::matrix quantize_header_only(const luq::matrix& W, const luq::matrix& X) {
  luq::linear_inputs inputs(W.cols());
  inputs.add(X);
  const luq::gptq search{.order = luq::column_order::activation};
  return luq::quantize({W, inputs}, luq::int_codec<4>{.group = 32}, search).packed.unpack().decode();
}

luq::any_packed_matrix pack_header_only(const luq::matrix& W) {
  return luq::quantize(W, luq::sign_codec{.group = 32}, luq::round_to_nearest{}).packed;
}

void multiply_header_only(const luq::any_packed_matrix& W, const luq::matrix& X, luq::matrix& Y) {
  luq::matmul(std::get<luq::packed_matrix<luq::sign_codec>>(W), X, Y);
}

void fail_header_only() {
  static_cast<void>(luq::parse_codec("ternary4"));
}

}  // namespace mixed_modes
