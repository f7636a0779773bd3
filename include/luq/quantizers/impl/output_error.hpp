// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Output error under a Hessian.
#pragma once

#include "luq/core/detail/matrix_products.hpp"
#include "luq/quantizers/output_error.hpp"

namespace luq {

LUQ_INLINE double output_energy(const matrix_view& M, const matrix_view& H) {
  LUQ_ASSERT(H.rows() == M.cols() && H.cols() == M.cols());
  matrix product = matrix::Zero(M.rows(), M.cols());
  detail::add_product(product, 1.0f, M, H);
  return product.cwiseProduct(M).cast<double>().sum();
}

LUQ_INLINE double relative_output_error(const matrix_view& W, const matrix_view& Q, const matrix_view& H) {
  LUQ_ASSERT(W.rows() == Q.rows() && W.cols() == Q.cols());
  const double output = output_energy(W, H);
  return output > 0 ? output_energy(W - Q, H) / output : 0.0;
}

}  // namespace luq
