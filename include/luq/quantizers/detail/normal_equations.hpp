// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The normal equations A x = b of a least-squares problem, A [n x n] symmetric and not negative, of which the upper
// triangle need not be given. They minimise x^T A x - 2 b^T x.
//
// Templates, so that a unit that solves none does not compile Eigen's factorisation.
#pragma once

#include <Eigen/Cholesky>
#include <cstddef>
#include <vector>

#include "luq/core/matrix_view.hpp"

namespace luq::detail {

/// The solution of A x = b with `ridge_share` of its mean diagonal added to each entry of the diagonal; empty if A is
/// not positive definite even so. A is then whole and has the ridge.
template <class Scalar>
[[nodiscard]] std::vector<Scalar> solve_normal_equations(basic_matrix<Scalar>& A, const std::vector<Scalar>& b,
                                                         Scalar ridge_share) {
  const index n = A.rows();
  Scalar trace = 0;
  for (index i = 0; i < n; ++i) {
    trace += A(i, i);
    for (index j = 0; j < i; ++j) A(j, i) = A(i, j);
  }
  for (index i = 0; i < n; ++i) A(i, i) += ridge_share * (trace / static_cast<Scalar>(n));
  const Eigen::LLT<basic_matrix<Scalar>> cholesky(A);
  if (cholesky.info() != Eigen::Success) return {};
  std::vector<Scalar> x = b;
  Eigen::Map<Eigen::Matrix<Scalar, Eigen::Dynamic, 1>> solution(x.data(), n);
  cholesky.solveInPlace(solution);
  return x;
}

/// By how much x lowers the sum of squares, 2 b^T x - x^T A x, for an A that is whole.
template <class Scalar>
[[nodiscard]] Scalar quadratic_gain(const basic_matrix<Scalar>& A, const std::vector<Scalar>& b,
                                    const std::vector<Scalar>& x) {
  Scalar gain = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Scalar* const row = A.data() + static_cast<index>(i) * A.cols();
    Scalar product = 0;
    for (std::size_t j = 0; j < x.size(); ++j) product += row[j] * x[j];
    gain += x[i] * (2 * b[i] - product);
  }
  return gain;
}

}  // namespace luq::detail
