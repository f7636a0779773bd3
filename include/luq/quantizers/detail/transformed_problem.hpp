// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What becomes of the arguments of quantize_transformed.hpp.
#pragma once

#include "luq/codecs/input_transform.hpp"
#include "luq/core/error.hpp"
#include "luq/core/executor.hpp"
#include "luq/core/matrix_view.hpp"
#include "luq/quantizers/detail/checks.hpp"
#include "luq/quantizers/quantizer.hpp"

namespace luq::detail {

template <InputTransform Transform>
void require_fitting_transform(const matrix_view& W, const Transform& transform) {
  if (transform.in_features() == W.cols()) return;
  fail(errc::shape_mismatch, "input transform ", transform.name(), ": expected ", W.cols(), " columns, got ",
       transform.in_features());
}

/// The quantizer for inputs T x: a drift that it compensates for (gptq::drift) becomes T D T^T, kept in `drift`.
template <InputTransform Transform, Quantizer Q>
[[nodiscard]] Q with_transformed_drift(Q quantizer, const matrix_view& W, const Transform& transform, matrix& drift,
                                       executor_ref executor) {
  if constexpr (requires { quantizer.drift = &drift; }) {
    if (quantizer.drift == nullptr) return quantizer;
    require_square(W, "input drift", quantizer.drift->rows(), quantizer.drift->cols());
    matrix turned = *quantizer.drift;
    transform.transform_activations(turned, executor);  // D T^T
    drift = turned.transpose();
    transform.transform_activations(drift, executor);  // T D^T T^T
    drift.transposeInPlace();
    quantizer.drift = &drift;
  }
  return quantizer;
}

}  // namespace luq::detail
