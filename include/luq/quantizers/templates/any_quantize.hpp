// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Every search for every codec.
#pragma once

#include <variant>

#include "luq/quantizers/any_quantize.hpp"

namespace luq {

template <std::same_as<any_codec> Codec>
any_packed_matrix quantize(const matrix_view& W, const matrix_view& H, const Codec& codec, code_search how,
                           quantize_report* report, executor_ref executor) {
  return std::visit(
      [&](const auto& c) {
        if (how == code_search::nearest && H.size() == 0) {
          return any_packed_matrix(quantize(W, c, round_to_nearest{}, executor));
        }
        return any_packed_matrix(pack(search_codes(W, H, c, how, report, executor)));
      },
      codec);
}

}  // namespace luq
