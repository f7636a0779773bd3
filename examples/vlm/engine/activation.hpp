// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The pointwise nonlinearities of the models:
//
//   gelu        x/2 (1 + erf(x / sqrt 2))      the exact one, not the tanh approximation
//   quick_gelu  x sigmoid(1.702 x)             CLIP's
//   silu        x sigmoid(x)                   LLaMA's, the gate of SwiGLU
//
// Hendrycks and Gimpel, Gaussian Error Linear Units, arXiv 1606.08415.
#pragma once

#include <cmath>
#include <luq/core/matrix_view.hpp>
#include <numbers>

namespace vlm {

enum class activation { gelu, quick_gelu, silu };

namespace detail {

/// x sigmoid(slope x). For very negative x the exponential saturates and the result is zero, never NaN.
inline void apply_sigmoid_gate(float slope, luq::matrix& X) {
  X.array() /= 1.0f + (-slope * X.array()).exp();
}

}  // namespace detail

/// Replaces every element by its image.
inline void apply(activation kind, luq::matrix& X) {
  switch (kind) {
    case activation::gelu:
      X = X.unaryExpr([](float x) { return 0.5f * x * (1.0f + std::erf(x / std::numbers::sqrt2_v<float>)); });
      break;
    case activation::quick_gelu:
      detail::apply_sigmoid_gate(1.702f, X);
      break;
    case activation::silu:
      detail::apply_sigmoid_gate(1.0f, X);
      break;
  }
}

}  // namespace vlm
