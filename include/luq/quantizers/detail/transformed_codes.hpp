// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The steps of the front door: codes in the basis of transformed inputs.
#pragma once

#include <optional>

#include "luq/codecs/coded_matrix.hpp"
#include "luq/codecs/input_transform.hpp"
#include "luq/quantizers/quantizer.hpp"

namespace luq::detail {

/// Codes for inputs T x.
/// @param is_shared  whether the statistics of T x are kept
template <WeightCodec Codec, class Q>
[[nodiscard]] coded_matrix<Codec> codes_of_transformed(const linear_problem& problem, const shared_transform& transform,
                                                       bool is_shared, const Codec& codec, const Q& quantizer,
                                                       const quantize_context& context, quantize_report& report) {
  matrix W = problem.W;
  transform->transform_weights(W, context.executor);
  const linear_inputs* inputs = nullptr;
  std::optional<linear_inputs> own;
  if (problem.inputs != nullptr && is_shared) {
    inputs = &problem.inputs->transformed(*transform, context.executor);
  } else if (problem.inputs != nullptr) {
    inputs = &own.emplace(problem.inputs->transformed_once(*transform, context.executor));
  }
  coded_matrix<Codec> result = quantizer(linear_problem(W, inputs), codec, context, report);
  result.transform = transform;
  return result;
}

}  // namespace luq::detail
