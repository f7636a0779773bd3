// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Quantization error propagation (Arai and Ichikawa, QEP, NeurIPS 2025): before a linear W is quantized, it is moved
// towards the weights that best reproduce its float output W x from the inputs xhat it gets behind quantized layers,
//
//   W* = W + a W D (H + lambda I)^-1,    lambda = damp * mean_live_diagonal(H)
//
// with H the Hessian of xhat and D the cross moment of x - xhat with xhat, in the scale of H (estimators/hessian.hpp,
// estimators/input_drift.hpp). a = 1 and lambda = 0 is least squares on the calibration tokens; a and lambda hold it
// back, for the drift seen there is partly noise. Any quantizer and any codec then work on (W*, H) as they would on
// (W, H). The errors of what they make are to be measured against W*, or with activations against the float output.
//
// Published runs leave the down projection of an MLP alone (its H is the largest); that is a choice of the caller.
#pragma once

#include <Eigen/Cholesky>

#include "luq/core/all_finite.hpp"
#include "luq/core/error.hpp"
#include "luq/core/executor.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/core/matrix_view.hpp"
#include "luq/quantizers/hessian_factor.hpp"
#include "luq/quantizers/quantize.hpp"

namespace luq {

struct error_propagation_options {
  double strength = 0.5;  ///< a, how much of the correction is applied, 0 ... 1; 0.5 as published
  double damp = 1.0;      ///< lambda as a share of mean_live_diagonal(H), > 0; 1.0 as published
};

/// W* [out x in] of W [out x in] under H and D [in x in]; all read only.
/// @throws luq::error shape_mismatch, non_finite, invalid_argument, or indefinite_hessian if H + lambda I is not
/// positive definite
[[nodiscard]] inline matrix propagate_error(const matrix_view& W, const matrix_view& H, const matrix_view& D,
                                     const error_propagation_options& options = {}, executor_ref executor = {}) {
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
