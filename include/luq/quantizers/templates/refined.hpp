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

template <MemorylessCodec Codec>
void refine_codes(const linear_problem& problem, coded_matrix<Codec>& coded, const refinement_options& options,
                  const quantize_context& context) {
  if (options.rounds < 0 || options.sweeps < 0 || !is_finite(options.damp) || options.damp < 0) {
    fail(errc::invalid_argument, "refined: expected rounds, sweeps and damp >= 0, got ", options.rounds, ", ",
         options.sweeps, " and ", options.damp);
  }
  const matrix_view& W = problem.W;
  const matrix_view H = problem.inputs->H();
  if (W.cols() == 0) return;
  const auto ridge = static_cast<float>(options.damp * mean_live_diagonal(H));
  detail::for_each_row_chunk(W.rows(), context.executor, [&](index first, index rows) {
    matrix chunk(rows, W.cols());
    for (index r = 0; r < rows; ++r) {
      for (index j = 0; j < W.cols(); ++j) chunk(r, j) = H(j, j) == 0.0f ? 0.0f : W(first + r, j);
    }
    detail::row_refinement<Codec> refinement(chunk, H, ridge, first, coded);
    for (int round = 0; round < options.rounds; ++round) {
      refinement.refit_scales();
      bool changed = false;
      for (int sweep = 0; sweep < options.sweeps; ++sweep) {
        if (!refinement.reassign_codes()) break;
        changed = true;
      }
      if (!changed) break;
    }
  });
}

}  // namespace luq
