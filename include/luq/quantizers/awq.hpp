// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// AWQ's search for input scales (Lin et al., MLSys 2024, section 3.2 and equation 5) for any codec and any quantizer:
// a column whose input is large is multiplied by s_c > 1 before it is coded and its input divided by s_c, so that the
// error of its weights counts less. With m_c the size of input c, and m the mean of those sizes that are not 0, for
// t = 0, 1/steps, ..., (steps-1)/steps:
//
//   s_c = max((m_c / m)^t, smallest),  s /= sqrt(max_c s_c * min_c s_c),  Q = quantize(W diag(s)),  W ~ Q diag(1/s)
//
// and the t with the least output error under H is kept. t = 0 is no scaling, so on the calibration Hessian the result
// is never worse than the quantizer by itself. The published search rounds to nearest, measures the error on the
// calibration activations and clips weights afterwards; here the quantizer is a parameter, the error is the one H
// gives, and clipping is left to the codec's fit (int_codec's searched range). Nor does it divide by m, so that which
// scales are below `smallest` depends on the unit of inputs; and an input of size 0, which here has the scale of the
// least that is not, has that smallest scale, and moves those of all others with it.
//
// Linears with the same input (q, k and v) can share one scaling, which an engine folds into the norm before them.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "luq/codecs/input_scaling.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/quantizers/detail/awq_factors.hpp"
#include "luq/quantizers/output_error.hpp"
#include "luq/quantizers/quantize_transformed.hpp"

namespace luq {

struct awq_options {
  int steps = 20;          ///< exponents tried, >= 1: 0, 1/steps, ..., (steps-1)/steps; 20 as published
  double smallest = 1e-4;  ///< least scale before normalisation, > 0, that of an input of mean size being 1
};

/// What the search found.
struct awq_search {
  input_scaling scaling;       ///< 1/s of the best exponent
  double exponent = 0;         ///< the best t
  std::vector<double> errors;  ///< relative output error for each t; infinite where fp16 cannot hold the scales
};

/// The best scaling for linears that share an input.
/// @param weights    each W [out x in], any number of outputs; read only
/// @param H          [in x in] of the shared input
/// @param magnitude  m [in], finite and >= 0: mean_magnitude::values(), or input_magnitude(H) (mean_magnitude.hpp)
/// @throws luq::error as quantize_codes, and invalid_argument, shape_mismatch
template <WeightCodec Codec, Quantizer Q>
[[nodiscard]] awq_search search_awq_scales(std::span<const matrix_view> weights, const matrix_view& H,
                                           std::span<const float> magnitude, const Codec& codec, const Q& quantizer,
                                           const awq_options& options = {}, executor_ref executor = {}) {
  if (options.steps < 1) fail(errc::invalid_argument, "awq: expected steps >= 1, got ", options.steps);
  if (!is_finite(options.smallest) || options.smallest <= 0) {
    fail(errc::invalid_argument, "awq: expected a finite smallest scale > 0, got ", options.smallest);
  }
  if (static_cast<index>(magnitude.size()) != H.cols()) {
    fail(errc::shape_mismatch, "awq: expected ", H.cols(), " input magnitudes, got ", magnitude.size());
  }
  for (std::size_t c = 0; c < magnitude.size(); ++c) {
    if (!is_finite(magnitude[c]) || magnitude[c] < 0.0f) {
      fail(errc::invalid_argument, "awq: expected finite input magnitudes >= 0, got ", magnitude[c], " for input ", c);
    }
  }
  double output = 0;
  for (const matrix_view& W : weights) {
    detail::require_finite_weights(W);
    detail::require_square(W, "Hessian", H.rows(), H.cols());
    output += output_energy(W, H);
  }

  awq_search best{input_scaling(H.cols()), 0, {}};
  for (int step = 0; step < options.steps; ++step) {
    const double t = static_cast<double>(step) / options.steps;
    const std::vector<float> factors = detail::awq_factors(magnitude, t, options.smallest);
    if (!detail::fits_scaling(factors)) {
      best.errors.push_back(std::numeric_limits<double>::infinity());
      continue;
    }
    const input_scaling scaling(factors);
    double lost = 0;
    for (const matrix_view& W : weights) {
      const matrix decoded = quantize_transformed(W, H, scaling, codec, quantizer, nullptr, executor).decode(executor);
      lost += output_energy(W - decoded, H);
    }
    const double error = output > 0 ? lost / output : 0.0;
    if (step > 0 && error < *std::min_element(best.errors.begin(), best.errors.end())) {
      best.scaling = scaling;
      best.exponent = t;
    }
    best.errors.push_back(error);
  }
  return best;
}

/// Searches scales for W [out x in] alone, and quantizes and packs it under them.
/// @param report  filled if not null; its loss and damping are those of the scaled problem
template <WeightCodec Codec, Quantizer Q>
[[nodiscard]] transformed_matrix<Codec, input_scaling> quantize_awq(const matrix_view& W, const matrix_view& H,
                                                                    std::span<const float> magnitude,
                                                                    const Codec& codec, const Q& quantizer,
                                                                    const awq_options& options = {},
                                                                    quantize_report* report = nullptr,
                                                                    executor_ref executor = {}) {
  const awq_search best = search_awq_scales(std::span(&W, 1), H, magnitude, codec, quantizer, options, executor);
  return quantize_transformed(W, H, best.scaling, codec, quantizer, report, executor);
}

}  // namespace luq
