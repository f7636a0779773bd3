// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Rounding to nearest for one codec.
#pragma once

#include <utility>
#include <vector>

#include "luq/core/error.hpp"
#include "luq/quantizers/round_to_nearest.hpp"

namespace luq {

template <WeightCodec Codec>
coded_matrix<Codec> round_to_nearest::operator()(const linear_problem& problem, const Codec& codec,
                                                 const quantize_context& context, quantize_report&) const {
  if (weighted_fit && problem.inputs == nullptr) {
    fail(errc::invalid_argument, "round_to_nearest: weighted_fit needs inputs, got none");
  }
  const matrix_view& W = problem.W;
  coded_matrix<Codec> result(codec, W.rows(), W.cols());
  const tile_layout layout(codec, W.rows(), W.cols());
  for (index g = 0; g < layout.groups(); ++g) {
    const index first = layout.first_column(g);
    const index columns = layout.columns_of(g);
    std::vector<float> importance;
    if (weighted_fit) {
      const matrix_view H = problem.inputs->H();
      for (index j = first; j < first + columns; ++j) importance.push_back(H(j, j));
    }
    coded_group group = code_group(codec, W.middleCols(first, columns), importance, context.executor);
    result.codes.middleCols(first, columns) = group.codes;
    result.groups[static_cast<std::size_t>(g)] = std::move(group.parameters);
  }
  return result;
}

}  // namespace luq
