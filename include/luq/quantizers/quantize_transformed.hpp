// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// quantize.hpp in the basis of an input transform T (codecs/input_transform.hpp): any quantizer chooses codes for
// W' = W T^-1 under H' = T H T^T, and the result decodes to Q T. Since (W' - Q) H' (W' - Q)^T = (W - Q T) H (W - Q
// T)^T, what the quantizer minimises is still the output error of the layer.
#pragma once

#include <utility>

#include "luq/codecs/transformed_matrix.hpp"
#include "luq/quantizers/detail/transformed_problem.hpp"
#include "luq/quantizers/quantize.hpp"

namespace luq {

/// Quantizes and packs W [out x in] under the Hessian H [in x in] of its inputs; these and a drift that the quantizer
/// holds are in the original basis; read only.
/// @param report  filled if not null; its loss and damping are those of the transformed problem
/// @throws luq::error as quantize_codes, and what the transform throws for weights it cannot take
template <InputTransform Transform, WeightCodec Codec, Quantizer Q>
[[nodiscard]] transformed_matrix<Codec, Transform> quantize_transformed(const matrix_view& W, const matrix_view& H,
                                                                        const Transform& transform, const Codec& codec,
                                                                        const Q& quantizer,
                                                                        quantize_report* report = nullptr,
                                                                        executor_ref executor = {}) {
  detail::require_finite_weights(W);
  detail::require_fitting_transform(W, transform);
  detail::require_square(W, "Hessian", H.rows(), H.cols());
  matrix weights = W;
  transform.transform_weights(weights, executor);
  matrix turned = H;
  transform.transform_hessian(turned, executor);
  matrix drift;
  const Q local = detail::with_transformed_drift(quantizer, W, transform, drift, executor);
  if constexpr (FactorQuantizer<Q>) {
    detail::require_valid_group(codec);
    const hessian_factor factor = local.factorize(std::move(turned), executor);
    return {quantize(weights, factor, codec, local, report, executor), transform};
  } else {
    return {pack(quantize_codes(weights, turned, codec, local, report, executor)), transform};
  }
}

/// Likewise without activations, for quantizers that need none.
template <InputTransform Transform, WeightCodec Codec, Quantizer Q>
requires(!Q::needs_hessian)
[[nodiscard]] transformed_matrix<Codec, Transform> quantize_transformed(const matrix_view& W,
                                                                        const Transform& transform, const Codec& codec,
                                                                        const Q& quantizer,
                                                                        executor_ref executor = {}) {
  detail::require_finite_weights(W);
  detail::require_fitting_transform(W, transform);
  matrix weights = W;
  transform.transform_weights(weights, executor);
  return {quantize(weights, codec, quantizer, executor), transform};
}

}  // namespace luq
