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

struct refinement_options {
  int rounds = 6;      ///< alternations of scales and codes at most, >= 0; a row chunk stops when no code changes
  int sweeps = 2;      ///< passes over the columns in each round, >= 0
  double damp = 0.01;  ///< added to the diagonal of H, as a share of mean_live_diagonal(H), >= 0; that of feedback
};

/// Refines the codes and scales of a matrix that was coded for problem.W, in place.
/// @throws luq::error invalid_argument for options out of range, and as linear_inputs::H()
template <MemorylessCodec Codec>
void refine_codes(const linear_problem& problem, coded_matrix<Codec>& coded, const refinement_options& options = {},
                  const quantize_context& context = {});

/// Another quantizer, followed by alternating refinement of what it chose.
template <Quantizer Start = gptq>
struct refined {
  Start start = {};
  int rounds = 6;      ///< as refinement_options
  int sweeps = 2;      ///< likewise
  double damp = 0.01;  ///< likewise

  static constexpr bool needs_inputs = true;

  template <MemorylessCodec Codec>
  requires QuantizerFor<Start, Codec>
  [[nodiscard]] coded_matrix<Codec> operator()(const linear_problem& problem, const Codec& codec,
                                               const quantize_context& context, quantize_report& report) const {
    coded_matrix<Codec> result = start(problem, codec, context, report);
    refine_codes(problem, result, {.rounds = rounds, .sweeps = sweeps, .damp = damp}, context);
    return result;
  }
};

static_assert(Quantizer<refined<gptq>>);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/quantizers/templates/refined.hpp"
#endif
