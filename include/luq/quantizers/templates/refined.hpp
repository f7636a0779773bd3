// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Alternating refinement for one codec.
#pragma once

#include "luq/core/error.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/quantizers/detail/row_refinement.hpp"
#include "luq/quantizers/hessian_factor.hpp"
#include "luq/quantizers/refined.hpp"

namespace luq {

template <Quantizer Start>
template <MemorylessCodec Codec>
coded_matrix<Codec> refined<Start>::operator()(const matrix_view& W, const matrix_view& H, const Codec& codec,
                                               executor_ref executor, quantize_report& report) const {
  if (rounds < 0 || sweeps < 0 || !is_finite(damp) || damp < 0) {
    fail(errc::invalid_argument, "refined: expected rounds, sweeps and damp >= 0, got ", rounds, ", ", sweeps, " and ",
         damp);
  }
  coded_matrix<Codec> result = start(W, H, codec, executor, report);
  if (W.cols() == 0) return result;
  const auto ridge = static_cast<float>(damp * mean_live_diagonal(H));
  detail::for_each_row_chunk(W.rows(), executor, [&](index first, index rows) {
    matrix chunk(rows, W.cols());
    for (index r = 0; r < rows; ++r) {
      for (index j = 0; j < W.cols(); ++j) chunk(r, j) = H(j, j) == 0.0f ? 0.0f : W(first + r, j);
    }
    detail::row_refinement<Codec> refinement(chunk, H, ridge, first, result);
    for (int round = 0; round < rounds; ++round) {
      refinement.refit_scales();
      bool changed = false;
      for (int sweep = 0; sweep < sweeps; ++sweep) {
        if (!refinement.reassign_codes()) break;
        changed = true;
      }
      if (!changed) break;
    }
  });
  return result;
}

}  // namespace luq
