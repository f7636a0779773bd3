// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The two-layer perceptron that turns vision features into rows of decoder embeddings: linear_2(act(linear_1(X))).
#pragma once

#include "activation.hpp"
#include "linear.hpp"

namespace vlm {

struct projector {
  linear first;  ///< [decoder hidden x feature width]
  activation kind;
  linear second;  ///< [decoder hidden x decoder hidden]

  /// @param X  [image tokens x feature width]
  /// @return [image tokens x decoder hidden]
  [[nodiscard]] luq::matrix operator()(const luq::matrix_view& X) const {
    luq::matrix hidden = first(X);
    apply(kind, hidden);
    return second(hidden);
  }
};

}  // namespace vlm
