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
                                               executor_ref executor, quantize_report& report) const;
};

static_assert(Quantizer<round_to_nearest>);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/quantizers/templates/round_to_nearest.hpp"
#endif
