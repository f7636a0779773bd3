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

#include <concepts>

#include "luq/core/executor.hpp"
#include "luq/core/matrix_view.hpp"

namespace luq {

struct error_propagation_options {
  double strength = 0.5;  ///< a, how much of the correction is applied, 0 ... 1; 0.5 as published
  double damp = 1.0;      ///< lambda as a share of mean_live_diagonal(H), > 0; 1.0 as published
};

/// W* [out x in] of W [out x in] under H and D [in x in]; all read only. It is a template of the one type of its
/// options, so that a unit that does not call it does not compile it.
/// @throws luq::error shape_mismatch, non_finite, invalid_argument, or indefinite_hessian if H + lambda I is not
/// positive definite
template <std::same_as<error_propagation_options> Options = error_propagation_options>
[[nodiscard]] matrix propagate_error(const matrix_view& W, const matrix_view& H, const matrix_view& D,
                                     const Options& options = {}, executor_ref executor = {});

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/quantizers/templates/error_propagation.hpp"
#endif
