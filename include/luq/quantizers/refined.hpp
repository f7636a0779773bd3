// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Alternating refinement of what another quantizer chose, by the layer's output error itself: all scales of a row by
// least squares under its codes, then each code by coordinate descent under its scales, in turn
// (detail/row_refinement.hpp). Column feedback visits each column once and never learns of columns after it; this
// visits them again with all others known, which gains most where codes are few.
//
// Neither step can raise the error, so more rounds are never worse *on the calibration data*. H is damped as for column
// feedback, which keeps scales from following the noise of few tokens.
#pragma once

#include "luq/quantizers/gptq.hpp"
#include "luq/quantizers/quantizer.hpp"

namespace luq {

/// Another quantizer, followed by alternating refinement of what it chose.
template <Quantizer Start = gptq>
struct refined {
  Start start = {};
  int rounds = 6;      ///< alternations of scales and codes at most, >= 0; a row chunk stops when no code changes
  int sweeps = 2;      ///< passes over the columns in each round, >= 0
  double damp = 0.01;  ///< added to the diagonal of H, as a share of mean_live_diagonal(H), >= 0; that of feedback

  static constexpr bool needs_hessian = true;

  template <MemorylessCodec Codec>
  [[nodiscard]] coded_matrix<Codec> operator()(const matrix_view& W, const matrix_view& H, const Codec& codec,
                                               executor_ref executor, quantize_report& report) const;
};

static_assert(Quantizer<refined<gptq>>);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/quantizers/templates/refined.hpp"
#endif
