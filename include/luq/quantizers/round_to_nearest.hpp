// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Each group is coded for itself: parameters are fitted to its weights, and each weight takes the nearest code. It is
// the baseline of every comparison. With a Hessian, its diagonal can weight the fit of parameters.
#pragma once

#include "luq/quantizers/quantizer.hpp"

namespace luq {

struct round_to_nearest {
  bool weighted_fit = false;  ///< weight the squared error of column j by H_jj when fitting; needs a Hessian

  static constexpr bool needs_hessian = false;

  template <WeightCodec Codec>
  [[nodiscard]] coded_matrix<Codec> operator()(const matrix_view& W, const matrix_view& H, const Codec& codec,
                                               executor_ref executor, quantize_report&) const {
    if (weighted_fit && H.size() == 0) {
      fail(errc::invalid_argument, "round_to_nearest: weighted_fit needs a Hessian, got none");
    }
    coded_matrix<Codec> result(codec, W.rows(), W.cols());
    const tile_layout layout(codec, W.rows(), W.cols());
    for (index g = 0; g < layout.groups(); ++g) {
      const index first = layout.first_column(g);
      const index columns = layout.columns_of(g);
      std::vector<float> importance;
      if (weighted_fit) {
        for (index j = first; j < first + columns; ++j) importance.push_back(H(j, j));
      }
      coded_group group = code_group(codec, W.middleCols(first, columns), importance, executor);
      result.codes.middleCols(first, columns) = group.codes;
      result.groups[static_cast<std::size_t>(g)] = std::move(group.parameters);
    }
    return result;
  }
};

static_assert(Quantizer<round_to_nearest>);

}  // namespace luq
