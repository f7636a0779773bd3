// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The move of weights towards what their inputs behind quantized layers ask for.
#pragma once

#include <Eigen/Cholesky>

#include "luq/codecs/detail/row_chunks.hpp"
#include "luq/core/all_finite.hpp"
#include "luq/core/error.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/quantizers/detail/checks.hpp"
#include "luq/quantizers/error_propagation.hpp"
#include "luq/quantizers/hessian_factor.hpp"

namespace luq {

template <std::same_as<error_propagation_options> Options>
matrix propagate_error(const matrix_view& W, const matrix_view& H, const matrix_view& D, const Options& options,
                       executor_ref executor) {
  detail::require_finite_weights(W);
  detail::require_square(W, "Hessian", H.rows(), H.cols());
  detail::require_square(W, "input drift", D.rows(), D.cols());
  const bool finite_hessian = all_finite(H);
  if (!finite_hessian || !all_finite(D)) {
    fail(errc::non_finite, finite_hessian ? "input drift" : "Hessian", " of ", W.cols(),
         " inputs: expected finite entries, got a NaN or infinity");
  }
  if (!is_finite(options.strength) || options.strength < 0 || options.strength > 1) {
    fail(errc::invalid_argument, "error propagation: expected a strength of 0 ... 1, got ", options.strength);
  }
  if (!is_finite(options.damp) || options.damp <= 0) {
    fail(errc::invalid_argument, "error propagation: expected a finite damp > 0, got ", options.damp);
  }

  matrix result = W;
  if (H.diagonal().isZero(0.0f)) return result;  // no input at all: nothing drifts
  matrix damped = H;
  damped.diagonal().array() += static_cast<float>(options.damp * mean_live_diagonal(H));
  const Eigen::LLT<Eigen::Ref<matrix>, Eigen::Lower> cholesky(damped);  // L L^T, in place
  if (cholesky.info() != Eigen::Success) {
    fail(errc::indefinite_hessian, "Hessian of ", W.cols(), " inputs: not positive definite with ", options.damp,
         " of the mean diagonal of its live inputs added");
  }
  const matrix& L = damped;
  detail::for_each_row_chunk(W.rows(), executor, [&](index first, index rows) {
    matrix correction = W.middleRows(first, rows) * D;  // becomes W D L^-T L^-1
    L.transpose().triangularView<Eigen::Upper>().solveInPlace<Eigen::OnTheRight>(correction);
    L.triangularView<Eigen::Lower>().solveInPlace<Eigen::OnTheRight>(correction);
    result.middleRows(first, rows) += static_cast<float>(options.strength) * correction;
  });
  return result;
}

}  // namespace luq
