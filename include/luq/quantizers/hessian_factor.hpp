// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The factor of a Hessian that column feedback needs: the upper triangular U with H^-1 = U^T U. Row j of U / U_jj says
// how the error of column j is best absorbed by the columns after it, and 1 / U_jj^2 is what a unit squared error of
// column j costs after they have absorbed it (Frantar and Alistarh, Optimal Brain Compression, NeurIPS 2022).
//
// H = R R^T with R upper triangular is the Cholesky factorisation begun at the last row, and U = R^-1. Both are done in
// one sweep over blocks of columns k = last ... 0, in place in the upper triangle: with V the blocks of U, and S the
// sums from which they are made,
//
//   R_kk R_kk^T = H_kk,  V_kk = R_kk^-1,  R_ik = H_ik V_kk^T,  V_kj = -V_kk S_kj         for i < k < j
//   H_ij -= R_ik R_jk^T  (i <= j < k),    S_ij += R_ik V_kj,   S_ik = R_ik V_kk
//
// two thirds in^3 multiplications and additions, nearly all in products of square tiles, which are the tasks. (The
// published GPTQ code factorises, inverts and factorises again for the same U, with more work and more rounding.)
//
// A Hessian of few tokens is singular. It is damped: damp * mean is added to its diagonal, with damp doubled from its
// starting value until the factorisation succeeds. The mean is that of H_jj over live inputs. An input that was always
// zero is dead, H_jj = 0: its weights have no influence on the calibration tokens, quantizers set them to zero, and all
// it has on the diagonal is the ridge. So U is that of other inputs in another unit, to the bit if one unit is the
// other times a power of two. (The published GPTQ code gives dead inputs H_jj = 1 before it takes the mean. Where
// inputs are small that is most of the mean. With first = 0.01 * published mean / live mean, the ridge is the published
// one.)
#pragma once

#include <vector>

#include "luq/codecs/code.hpp"
#include "luq/core/compiled.hpp"
#include "luq/core/executor.hpp"
#include "luq/core/matrix_view.hpp"

namespace luq {

/// How a Hessian is made positive definite.
struct damping_options {
  double first = 0.01;  ///< first damp tried, as a share of mean_live_diagonal(H), > 0; 0.01 as published with GPTQ
  double last = 1.0;    ///< largest damp tried; beyond it the Hessian is called indefinite

  friend bool operator==(const damping_options&, const damping_options&) = default;
};

/// In which order column feedback visits the columns.
enum class column_order {
  natural,     ///< as stored
  activation,  ///< by falling H_jj, ties in natural order
  /// Whole groups by falling mean H_jj, a shorter last group last; within a group by falling H_jj.
  group_aware,
};

/// What a factor is made for.
struct factor_options {
  damping_options damping = {};
  column_order order = column_order::natural;
  index group = whole_row;  ///< columns of a group in group-aware order, >= 1 or whole_row: that of the codec
};

/// H^-1 = U^T U, and what was done to H to obtain it.
struct hessian_factor {
  matrix U;                  ///< [in x in] upper triangular; the strictly lower part is zero
  std::vector<index> order;  ///< [in] the input that row and column j of U belong to; empty: input j
  std::vector<char> dead;    ///< [in] 1 where H_jj was 0, in the order of U
  double damp = 0;           ///< the damp that succeeded
  float ridge = 0;           ///< what that added to each entry of the diagonal
  int factorizations = 0;    ///< how many were tried

  /// The input that column j of U belongs to.
  [[nodiscard]] index input(index j) const { return order.empty() ? j : order[static_cast<std::size_t>(j)]; }

  /// 1 / U_jj^2 of columns first ... first+count-1: the weight of a squared error in column j.
  [[nodiscard]] std::vector<float> importance(index first, index count) const;
};

/// The mean of H_jj over live inputs, those with H_jj != 0: the unit of damping. 0 for an H without inputs.
/// @throws luq::error insufficient_data if all inputs are dead, since nothing is known then of what weights do
[[nodiscard]] double mean_live_diagonal(const matrix_view& H);

/// Factorises H [in x in], symmetric, finite, with non-negative diagonal, in its own memory, which U keeps.
/// @throws luq::error non_finite, insufficient_data if all inputs are dead, or indefinite_hessian if no damp up to
///   options.last is enough; H is lost then
[[nodiscard]] hessian_factor factorize_hessian_in_place(matrix&& H, const damping_options& options = {},
                                                        executor_ref executor = {});

/// Likewise, with columns in the order in which they are visited.
/// @throws luq::error also invalid_argument for a group < 0
[[nodiscard]] hessian_factor factorize_in_order(matrix&& H, const factor_options& options, executor_ref executor = {});

/// Factorises H [in x in], symmetric, finite, with non-negative diagonal; read only.
/// @throws luq::error as factorize_hessian_in_place
[[nodiscard]] hessian_factor factorize_hessian(const matrix_view& H, const damping_options& options = {},
                                               executor_ref executor = {});

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/quantizers/impl/hessian_factor.hpp"
#endif
