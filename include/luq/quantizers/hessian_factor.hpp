// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The factor of a Hessian that column feedback needs: the upper triangular U with H^-1 = U^T U. Row j of U / U_jj says
// how the error of column j is best absorbed by the columns after it, and 1 / U_jj^2 is what a unit squared error of
// column j costs after they have absorbed it (Frantar and Alistarh, Optimal Brain Compression, NeurIPS 2022).
//
// Computed as one Cholesky factorisation and one triangular inversion: with J the reversal of rows, J H J = L L^T
// gives H = R R^T with R = J L J upper triangular, hence U = R^-1 = J L^-1 J. (The published GPTQ code factorises,
// inverts and factorises again for the same U, with more work and more rounding.)
//
// A Hessian of few tokens is singular. It is damped: damp * mean(diag H) is added to its diagonal, with damp doubled
// from its starting value until the factorisation succeeds. Columns whose input was always zero ("dead", H_jj = 0)
// get H_jj = 1; their weights have no influence and are set to zero by the quantizers.
#pragma once

#include <Eigen/Cholesky>
#include <cmath>
#include <vector>

#include "luq/core/error.hpp"
#include "luq/core/matrix_view.hpp"

namespace luq {

/// How a Hessian is made positive definite.
struct damping_options {
  double first = 0.01;  ///< first damp tried, as a share of mean(diag H), > 0; 0.01 as published with GPTQ
  double last = 1.0;    ///< largest damp tried; beyond it the Hessian is called indefinite
};

/// H^-1 = U^T U, and what was done to H to obtain it.
struct hessian_factor {
  matrix U;                ///< [in x in] upper triangular; the strictly lower part is zero
  std::vector<char> dead;  ///< [in] 1 where H_jj was 0
  double damp = 0;         ///< the damp that succeeded
  int factorizations = 0;  ///< how many were tried

  /// 1 / U_jj^2 of columns first ... first+count-1: the weight of a squared error in column j.
  [[nodiscard]] std::vector<float> importance(index first, index count) const {
    std::vector<float> result(static_cast<std::size_t>(count));
    for (index j = 0; j < count; ++j) {
      result[static_cast<std::size_t>(j)] = 1.0f / (U(first + j, first + j) * U(first + j, first + j));
    }
    return result;
  }
};

/// Factorises H [in x in], symmetric, finite, with non-negative diagonal; read only.
/// @throws luq::error non_finite, or indefinite_hessian if no damp up to options.last is enough
[[nodiscard]] inline hessian_factor factorize_hessian(const matrix_view& H, const damping_options& options = {}) {
  LUQ_ASSERT(H.rows() == H.cols());
  const index n = H.rows();
  if (!H.allFinite())
    fail(errc::non_finite, "Hessian of ", n, " inputs: expected finite entries, got a NaN or infinity");
  if (!(options.first > 0) || options.last < options.first) {
    fail(errc::invalid_argument, "damping: expected 0 < first <= last, got first = ", options.first,
         ", last = ", options.last);
  }

  hessian_factor result;
  result.dead.assign(static_cast<std::size_t>(n), 0);
  Eigen::VectorXf diagonal = H.diagonal();
  for (index j = 0; j < n; ++j) {
    if (diagonal[j] < 0.0f) {
      fail(errc::indefinite_hessian, "Hessian: expected a non-negative diagonal, got ", diagonal[j], " for input ", j);
    }
    if (diagonal[j] == 0.0f) {
      result.dead[static_cast<std::size_t>(j)] = 1;
      diagonal[j] = 1.0f;
    }
  }
  const double mean = n == 0 ? 0.0 : diagonal.cast<double>().mean();

  matrix reversed(n, n);
  for (double damp = options.first; damp <= options.last * (1 + 1e-9); damp *= 2) {
    ++result.factorizations;
    reversed = H.reverse();
    reversed.diagonal() = (diagonal.array() + static_cast<float>(damp * mean)).reverse();
    const Eigen::LLT<Eigen::Ref<matrix>, Eigen::Lower> cholesky(reversed);
    if (cholesky.info() != Eigen::Success) continue;
    matrix inverse = matrix::Identity(n, n);
    reversed.triangularView<Eigen::Lower>().solveInPlace(inverse);
    if (!inverse.allFinite()) continue;
    result.damp = damp;
    result.U = inverse.reverse();
    return result;
  }
  fail(errc::indefinite_hessian, "Hessian of ", n, " inputs: not positive definite even with ", options.last,
       " of its mean diagonal added");
}

}  // namespace luq
