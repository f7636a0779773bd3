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
// and the t with the least output error under H is kept. t = 0 is no scaling, so where the quantizer itself is tried
// (awq::by_rounding = false) the result is never worse on the calibration Hessian than the quantizer by itself. The
// published search rounds to nearest, measures the error on the calibration activations and clips weights afterwards;
// here the error is the one H gives, and clipping is left to the codec's fit (int_codec's searched range). Nor does it
// divide by m, so that which scales are below `smallest` depends on the unit of inputs; and an input of size 0, which
// here has the scale of the least that is not, has that smallest scale, and moves those of all others with it.
//
// Linears with the same input (q, k and v) can share one scaling, which an engine folds into the norm before them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "luq/codecs/input_scaling.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/core/progress.hpp"
#include "luq/quantizers/detail/awq_factors.hpp"
#include "luq/quantizers/output_error.hpp"
#include "luq/quantizers/quantize.hpp"
#include "luq/quantizers/round_to_nearest.hpp"

namespace luq {

/// What the search found.
struct awq_search {
  input_scaling scaling;       ///< 1/s of the best exponent
  double exponent = 0;         ///< the best t
  std::vector<double> errors;  ///< relative output error for each t; infinite where fp16 cannot hold the scales
};

struct awq {
  int steps = 20;          ///< exponents tried, >= 1: 0, 1/steps, ..., (steps-1)/steps; 20 as published
  double smallest = 1e-4;  ///< least scale before normalisation, > 0, that of an input of mean size being 1
  /// Whether the error of an exponent is that of rounding to nearest, as published, or that of the quantizer itself,
  /// which takes `steps` times its time.
  bool by_rounding = true;

  /// The best scaling for the weights of linears that share inputs: m is linear_inputs::magnitudes().
  /// @param weights  each [out x in], any number of outputs; read only
  /// @throws luq::error as quantize_codes, and invalid_argument for options out of range
  template <WeightCodec Codec, class Q>
  [[nodiscard]] awq_search search(std::span<const matrix_view> weights, const linear_inputs& inputs, const Codec& codec,
                                  const Q& quantizer, const quantize_context& context = {}) const {
    if (steps < 1) fail(errc::invalid_argument, "awq: expected steps >= 1, got ", steps);
    if (!is_finite(smallest) || smallest <= 0) {
      fail(errc::invalid_argument, "awq: expected a finite smallest scale > 0, got ", smallest);
    }
    const matrix_view H = inputs.H();
    const std::vector<float> magnitudes = inputs.magnitudes();
    double output = 0;
    for (const matrix_view& W : weights) {
      detail::require_valid({W, inputs}, codec);
      output += output_energy(W, H);
    }
    progress_scope progress(context.progress, "awq: exponents", static_cast<std::uint64_t>(steps));
    awq_search best{input_scaling(H.cols()), 0, {}};
    for (int step = 0; step < steps; ++step, progress.advance()) {
      const double t = static_cast<double>(step) / steps;
      const std::vector<float> factors = detail::awq_factors(magnitudes, t, smallest);
      if (!detail::fits_scaling(factors)) {
        best.errors.push_back(std::numeric_limits<double>::infinity());
        continue;
      }
      const auto scaling = std::make_shared<const input_scaling>(factors);
      double lost = 0;
      for (const matrix_view& W : weights) {
        lost += by_rounding ? lost_output(W, nullptr, H, scaling, codec, round_to_nearest{}, context)
                            : lost_output(W, &inputs, H, scaling, codec, quantizer, context);
      }
      const double error = output > 0 ? lost / output : 0.0;
      if (step > 0 && error < *std::min_element(best.errors.begin(), best.errors.end())) {
        best.scaling = *scaling;
        best.exponent = t;
      }
      best.errors.push_back(error);
    }
    return best;
  }

  /// The best scaling for problem.W alone.
  template <WeightCodec Codec, class Q>
  [[nodiscard]] shared_transform find(const linear_problem& problem, const Codec& codec, const Q& quantizer,
                                      const quantize_context& context) const {
    detail::require_inputs(problem, "awq");
    return std::make_shared<const input_scaling>(
        search(std::span(&problem.W, 1), *problem.inputs, codec, quantizer, context).scaling);
  }

 private:
  /// (W - Q T) H (W - Q T)^T of weights coded under a scaling.
  template <WeightCodec Codec, class Q>
  [[nodiscard]] static double lost_output(const matrix_view& W, const linear_inputs* inputs, const matrix_view& H,
                                          const shared_transform& scaling, const Codec& codec, const Q& quantizer,
                                          const quantize_context& context) {
    quantize_report report;
    const auto codes =
        detail::codes_of_transformed(linear_problem(W, inputs), scaling, false, codec, quantizer, context, report);
    return output_energy(W - codes.decode(context.executor), H);
  }
};

}  // namespace luq
