// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A search that luq does not know: every weight takes the nearest code, and the parameters of a group are fitted to
// what the diagonal of the Hessian says of its columns, sum_c H_cc (w_c - q_c)^2.
#pragma once

#include <luq/codecs/code_group.hpp>
#include <luq/quantizers/quantizer.hpp>
#include <vector>

namespace example {

struct diagonal_rounding {
  static constexpr bool needs_inputs = true;

  template <luq::WeightCodec Codec>
  [[nodiscard]] luq::coded_matrix<Codec> operator()(const luq::linear_problem& problem, const Codec& codec,
                                                    const luq::quantize_context& context,
                                                    luq::quantize_report& report) const {
    const luq::matrix_view H = problem.inputs->H();
    luq::coded_matrix<Codec> result(codec, problem.W.rows(), problem.W.cols());
    const luq::tile_layout layout(codec, result.rows(), result.cols());
    for (luq::index g = 0; g < layout.groups(); ++g) {
      const luq::index first = layout.first_column(g);
      const luq::index columns = layout.columns_of(g);
      std::vector<float> importance;
      for (luq::index c = first; c < first + columns; ++c) importance.push_back(H(c, c));
      luq::coded_group group =
          luq::code_group(codec, problem.W.middleCols(first, columns), importance, context.executor);
      result.codes.middleCols(first, columns) = group.codes;
      result.groups[static_cast<std::size_t>(g)] = group.parameters;
    }
    for (luq::index c = 0; c < H.cols(); ++c) report.dead_columns += H(c, c) == 0.0f ? 1 : 0;
    return result;
  }
};

static_assert(luq::Quantizer<diagonal_rounding>);

}  // namespace example
