// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Each group is coded for itself: parameters are fitted to its weights, and each weight takes the nearest code. It is
// the baseline of every comparison. With inputs, the diagonal of their Hessian can weight the fit of parameters.
#pragma once

#include "luq/quantizers/quantizer.hpp"

namespace luq {

struct round_to_nearest {
  bool weighted_fit = false;  ///< weight the squared error of column j by H_jj when fitting; needs inputs

  static constexpr bool needs_inputs = false;

  template <WeightCodec Codec>
  [[nodiscard]] coded_matrix<Codec> operator()(const linear_problem& problem, const Codec& codec,
                                               const quantize_context& context, quantize_report& report) const;
};

static_assert(Quantizer<round_to_nearest>);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/quantizers/templates/round_to_nearest.hpp"
#endif
