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

#include <algorithm>
#include <cmath>
#include <vector>

#include "luq/core/all_finite.hpp"
#include "luq/core/error.hpp"
#include "luq/core/executor.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/core/matrix_products.hpp"
#include "luq/core/matrix_view.hpp"
#include "luq/core/mirror.hpp"

namespace luq {

/// How a Hessian is made positive definite.
struct damping_options {
  double first = 0.01;  ///< first damp tried, as a share of mean_live_diagonal(H), > 0; 0.01 as published with GPTQ
  double last = 1.0;    ///< largest damp tried; beyond it the Hessian is called indefinite
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
  [[nodiscard]] std::vector<float> importance(index first, index count) const {
    std::vector<float> result(static_cast<std::size_t>(count));
    for (index j = 0; j < count; ++j) {
      result[static_cast<std::size_t>(j)] = 1.0f / (U(first + j, first + j) * U(first + j, first + j));
    }
    return result;
  }
};

/// The mean of H_jj over live inputs, those with H_jj != 0: the unit of damping. 0 for an H without inputs.
/// @throws luq::error insufficient_data if all inputs are dead, since nothing is known then of what weights do
[[nodiscard]] inline double mean_live_diagonal(const matrix_view& H) {
  const Eigen::VectorXf diagonal = H.diagonal();
  const auto live = static_cast<index>((diagonal.array() != 0.0f).count());
  if (live == 0 && diagonal.size() > 0) {
    fail(errc::insufficient_data, "Hessian of ", diagonal.size(),
         " inputs: expected one at least that is not zero for every token, got none");
  }
  return live == 0 ? 0.0 : diagonal.cast<double>().sum() / static_cast<double>(live);
}

namespace detail {

/// Replaces the upper triangle of the positive definite A by that of U, A^-1 = U^T U, one column at a time.
/// The strictly lower triangle is neither read nor written. Returns false if A is not positive definite.
[[nodiscard]] inline bool invert_factor_by_columns(mutable_matrix_view A) {
  const index n = A.rows();
  std::vector<float> column(static_cast<std::size_t>(n));  // R_ik
  for (index k = n - 1; k >= 0; --k) {
    if (!is_finite(A(k, k)) || A(k, k) <= 0.0f) return false;
    const float v = 1.0f / std::sqrt(A(k, k));
    for (index i = 0; i < k; ++i) column[static_cast<std::size_t>(i)] = A(i, k) * v;
    float* V = A.row(k).data();
    for (index j = k + 1; j < n; ++j) V[j] *= -v;
    for (index i = 0; i < k; ++i) {
      const float r = column[static_cast<std::size_t>(i)];
      float* row = A.row(i).data();
      for (index j = i; j < k; ++j) row[j] -= r * column[static_cast<std::size_t>(j)];
      for (index j = k + 1; j < n; ++j) row[j] += r * V[j];
      row[k] = r * v;
    }
    V[k] = v;
  }
  return true;
}

/// Side of the tiles that are tasks of a factorisation.
inline constexpr index factor_tile = 256;

/// The same, block by block; `tile` is the side of a block, and smaller ones are used within those of the diagonal.
[[nodiscard]] inline bool invert_factor(mutable_matrix_view A, index tile, executor_ref executor) {
  constexpr index smallest_tile = 32;
  const index n = A.rows();
  if (n <= smallest_tile) return invert_factor_by_columns(A);
  while (tile >= n) tile /= 4;
  tile = (std::max)(tile, smallest_tile);
  const index blocks = (n + tile - 1) / tile;
  const auto size = [&](index i) { return (std::min)(tile, n - i * tile); };
  const auto block = [&](index i, index j) { return A.block(i * tile, j * tile, size(i), size(j)); };
  for (index k = blocks - 1; k >= 0; --k) {
    if (!invert_factor(mutable_matrix_view(block(k, k)), tile / 4, serial_executor{})) return false;
    const matrix V = block(k, k).template triangularView<Eigen::Upper>();
    executor.parallel_for(blocks - 1, [&](index task) {
      auto target = task < k ? block(task, k) : block(k, task + 1);
      const matrix before = target;
      target.setZero();
      if (task < k) {
        add_product_with_transposed(target, 1.0f, before, V);
      } else {
        add_product(target, -1.0f, V, before);
      }
    });
    // Rows 0 ... k-1 of all blocks but those of column k; row i begins at its diagonal.
    const index tiles = k * (k + 1) / 2 + k * (blocks - 1 - k);
    executor.parallel_for(tiles, [&](index task) {
      index i = 0;
      for (; task >= blocks - 1 - i; ++i) task -= blocks - 1 - i;
      const index j = i + task;
      if (i == j) {
        matrix square = block(i, i);
        add_product_with_transposed(square, -1.0f, block(i, k), block(i, k));
        for (index r = 0; r < size(i); ++r) block(i, i).row(r).tail(size(i) - r) = square.row(r).tail(size(i) - r);
      } else if (j < k) {
        add_product_with_transposed(block(i, j), -1.0f, block(i, k), block(j, k));
      } else {
        add_product(block(i, j + 1), 1.0f, block(i, k), block(k, j + 1));
      }
    });
    executor.parallel_for(k, [&](index i) {
      const matrix before = block(i, k);
      block(i, k).setZero();
      add_product(block(i, k), 1.0f, before, V);
    });
  }
  return true;
}

[[nodiscard]] inline bool upper_is_finite(const matrix& U) {
  for (index i = 0; i < U.rows(); ++i) {
    if (!all_finite(U.row(i).data() + i, U.cols() - i)) return false;
  }
  return true;
}

}  // namespace detail

/// Factorises H [in x in], symmetric, finite, with non-negative diagonal, in its own memory, which U keeps.
/// @throws luq::error non_finite, insufficient_data if all inputs are dead, or indefinite_hessian if no damp up to
///   options.last is enough; H is lost then
[[nodiscard]] inline hessian_factor factorize_hessian_in_place(matrix&& H, const damping_options& options = {},
                                                        executor_ref executor = {}) {
  LUQ_ASSERT(H.rows() == H.cols());
  const index n = H.rows();
  if (!all_finite(H))
    fail(errc::non_finite, "Hessian of ", n, " inputs: expected finite entries, got a NaN or infinity");
  if (!is_finite(options.first) || !is_finite(options.last) || options.first <= 0 || options.last < options.first) {
    fail(errc::invalid_argument, "damping: expected finite 0 < first <= last, got first = ", options.first,
         ", last = ", options.last);
  }

  hessian_factor result;
  result.dead.assign(static_cast<std::size_t>(n), 0);
  const Eigen::VectorXf diagonal = H.diagonal();
  for (index j = 0; j < n; ++j) {
    if (diagonal[j] < 0.0f) {
      fail(errc::indefinite_hessian, "Hessian: expected a non-negative diagonal, got ", diagonal[j], " for input ", j);
    }
    if (diagonal[j] == 0.0f) result.dead[static_cast<std::size_t>(j)] = 1;
  }
  const double mean = mean_live_diagonal(H);

  result.U = std::move(H);
  for (double damp = options.first; damp <= options.last * (1 + 1e-9); damp *= 2) {
    // The strictly lower triangle keeps H for the next attempt.
    if (result.factorizations > 0) mirror_lower(result.U);
    ++result.factorizations;
    result.ridge = static_cast<float>(damp * mean);
    result.U.diagonal() = diagonal.array() + result.ridge;
    if (!detail::invert_factor(result.U, detail::factor_tile, executor)) continue;
    if (!detail::upper_is_finite(result.U)) continue;
    for (index i = 0; i < n; ++i) result.U.row(i).head(i).setZero();
    result.damp = damp;
    return result;
  }
  fail(errc::indefinite_hessian, "Hessian of ", n, " inputs: not positive definite even with ", options.last,
       " of the mean diagonal of its live inputs added");
}

/// Factorises H [in x in], symmetric, finite, with non-negative diagonal; read only.
/// @throws luq::error as factorize_hessian_in_place
[[nodiscard]] inline hessian_factor factorize_hessian(const matrix_view& H, const damping_options& options = {},
                                               executor_ref executor = {}) {
  return factorize_hessian_in_place(matrix(H), options, executor);
}

}  // namespace luq
