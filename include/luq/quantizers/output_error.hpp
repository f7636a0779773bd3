// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// How much of a linear layer's output a quantized matrix loses: ||(W - Q) X^T||^2 / ||W X^T||^2, which the Hessian
// H ~ sum_t x_t x_t^T gives without the activations as tr(E H E^T) / tr(W H W^T), E = W - Q. The scale of H cancels.
#pragma once

#include "luq/core/matrix_products.hpp"
#include "luq/core/matrix_view.hpp"

namespace luq {

/// tr(M H M^T), the output energy of M [out x in] under H [in x in].
[[nodiscard]] inline double output_energy(const matrix_view& M, const matrix_view& H) {
  LUQ_ASSERT(H.rows() == M.cols() && H.cols() == M.cols());
  matrix product = matrix::Zero(M.rows(), M.cols());
  detail::add_product(product, 1.0f, M, H);
  return product.cwiseProduct(M).cast<double>().sum();
}

/// Relative output error of Q [out x in] for W [out x in] under H [in x in]; 0 if W has no output at all.
[[nodiscard]] inline double relative_output_error(const matrix_view& W, const matrix_view& Q, const matrix_view& H) {
  LUQ_ASSERT(W.rows() == Q.rows() && W.cols() == Q.cols());
  const double output = output_energy(W, H);
  return output > 0 ? output_energy(W - Q, H) / output : 0.0;
}

}  // namespace luq
