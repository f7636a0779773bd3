// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The factor of an inverse Hessian, block by block.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

#include "luq/core/all_finite.hpp"
#include "luq/core/detail/block_view.hpp"
#include "luq/core/detail/matrix_products.hpp"
#include "luq/core/detail/row_pointer.hpp"
#include "luq/core/error.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/core/mirror.hpp"
#include "luq/quantizers/hessian_factor.hpp"

namespace luq {

LUQ_INLINE std::vector<float> hessian_factor::importance(index first, index count) const {
  std::vector<float> result(static_cast<std::size_t>(count));
  for (index j = 0; j < count; ++j) {
    result[static_cast<std::size_t>(j)] = 1.0f / (U(first + j, first + j) * U(first + j, first + j));
  }
  return result;
}

LUQ_INLINE double mean_live_diagonal(const matrix_view& H) {
  const index inputs = (std::min)(H.rows(), H.cols());
  index live = 0;
  double sum = 0;
  for (index j = 0; j < inputs; ++j) {
    const float h = detail::row_pointer(H, j)[j];
    if (h != 0.0f) ++live;
    sum += static_cast<double>(h);
  }
  if (live == 0 && inputs > 0) {
    fail(errc::insufficient_data, "Hessian of ", inputs,
         " inputs: expected one at least that is not zero for every token, got none");
  }
  return live == 0 ? 0.0 : sum / static_cast<double>(live);
}

namespace detail {

/// Replaces the upper triangle of the positive definite A by that of U, A^-1 = U^T U, one column at a time.
/// The strictly lower triangle is neither read nor written. Returns false if A is not positive definite.
LUQ_INLINE bool invert_factor_by_columns(mutable_matrix_view A) {
  const index n = A.rows();
  std::vector<float> column(static_cast<std::size_t>(n));  // R_ik
  for (index k = n - 1; k >= 0; --k) {
    float* const V = row_pointer(A, k);
    if (!is_finite(V[k]) || V[k] <= 0.0f) return false;
    const float v = 1.0f / std::sqrt(V[k]);
    for (index i = 0; i < k; ++i) column[static_cast<std::size_t>(i)] = row_pointer(A, i)[k] * v;
    for (index j = k + 1; j < n; ++j) V[j] *= -v;
    for (index i = 0; i < k; ++i) {
      const float r = column[static_cast<std::size_t>(i)];
      float* row = row_pointer(A, i);
      for (index j = i; j < k; ++j) row[j] -= r * column[static_cast<std::size_t>(j)];
      for (index j = k + 1; j < n; ++j) row[j] += r * V[j];
      row[k] = r * v;
    }
    V[k] = v;
  }
  return true;
}

/// Moves A to a matrix of its own and leaves zeros.
LUQ_INLINE matrix take_block(mutable_matrix_view A) {
  matrix before(A.rows(), A.cols());
  for (index r = 0; r < A.rows(); ++r) {
    float* const row = row_pointer(A, r);
    std::copy_n(row, A.cols(), row_pointer(before, r));
    std::fill_n(row, A.cols(), 0.0f);
  }
  return before;
}

/// Copies the upper triangle of A to that of B, which is of the same size.
LUQ_INLINE void copy_upper(const matrix_view& A, mutable_matrix_view B) {
  for (index r = 0; r < A.rows(); ++r) std::copy_n(row_pointer(A, r) + r, A.cols() - r, row_pointer(B, r) + r);
}

/// Side of the tiles that are tasks of a factorisation.
inline constexpr index factor_tile = 256;

/// The same, block by block; `tile` is the side of a block, and smaller ones are used within those of the diagonal.
LUQ_INLINE bool invert_factor(mutable_matrix_view A, index tile, executor_ref executor) {
  constexpr index smallest_tile = 32;
  const index n = A.rows();
  if (n <= smallest_tile) return invert_factor_by_columns(A);
  while (tile >= n) tile /= 4;
  tile = (std::max)(tile, smallest_tile);
  const index blocks = (n + tile - 1) / tile;
  const auto size = [&](index i) { return (std::min)(tile, n - i * tile); };
  const auto block = [&](index i, index j) { return block_view(A, i * tile, j * tile, size(i), size(j)); };
  for (index k = blocks - 1; k >= 0; --k) {
    if (!invert_factor(block(k, k), tile / 4, serial_executor{})) return false;
    matrix V(size(k), size(k));
    V.setZero();
    copy_upper(block(k, k), V);
    executor.parallel_for(blocks - 1, [&](index task) {
      const mutable_matrix_view target = task < k ? block(task, k) : block(k, task + 1);
      const matrix before = take_block(target);
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
        matrix square(size(i), size(i));
        square.setZero();
        copy_upper(block(i, i), square);
        add_product_with_transposed(square, -1.0f, block(i, k), block(i, k));
        copy_upper(square, block(i, i));
      } else if (j < k) {
        add_product_with_transposed(block(i, j), -1.0f, block(i, k), block(j, k));
      } else {
        add_product(block(i, j + 1), 1.0f, block(i, k), block(k, j + 1));
      }
    });
    executor.parallel_for(k, [&](index i) {
      const matrix before = take_block(block(i, k));
      add_product(block(i, k), 1.0f, before, V);
    });
  }
  return true;
}

LUQ_INLINE bool upper_is_finite(const matrix& U) {
  for (index i = 0; i < U.rows(); ++i) {
    if (!all_finite(row_pointer(U, i) + i, U.cols() - i)) return false;
  }
  return true;
}

/// Sorts inputs by falling key[input / group]; inputs of one group stay together, in the order they had.
LUQ_INLINE void sort_by_falling(const std::vector<double>& key, index group, std::vector<index>& visit) {
  std::stable_sort(visit.begin(), visit.end(), [&](index a, index b) {
    const double key_a = key[static_cast<std::size_t>(a / group)];
    const double key_b = key[static_cast<std::size_t>(b / group)];
    return key_a > key_b || (key_a == key_b && a / group < b / group);
  });
}

/// Sums of H_jj over groups of columns. A shorter group has -1: it is visited last, so that group v begins at position
/// v * group.
LUQ_INLINE std::vector<double> group_diagonals(const matrix& H, index group) {
  const index cols = H.cols();
  std::vector<double> sum(static_cast<std::size_t>((cols + group - 1) / group), 0.0);
  for (index j = 0; j < cols; ++j) sum[static_cast<std::size_t>(j / group)] += static_cast<double>(H(j, j));
  if (cols % group != 0) sum.back() = -1;
  return sum;
}

/// The order in which columns are visited, see column_order.
LUQ_INLINE std::vector<index> visiting_order(const matrix& H, column_order order, index group) {
  std::vector<index> visit(static_cast<std::size_t>(H.cols()));
  std::iota(visit.begin(), visit.end(), index{0});
  sort_by_falling(group_diagonals(H, 1), 1, visit);
  if (order != column_order::group_aware) return visit;
  if (group < 0) fail(errc::invalid_argument, "column order: expected group >= 1 or luq::whole_row, got ", group);
  if (group != whole_row) sort_by_falling(group_diagonals(H, group), group, visit);
  return visit;
}

/// H(i, j) = H(visit[i], visit[j]), in place.
LUQ_INLINE void permute_both_sides(matrix& H, const std::vector<index>& visit) {
  const index n = H.cols();
  std::vector<float> kept(visit.size());
  for (index i = 0; i < H.rows(); ++i) {
    float* const row = row_pointer(H, i);
    for (std::size_t j = 0; j < visit.size(); ++j) kept[j] = row[visit[j]];
    std::copy(kept.begin(), kept.end(), row);
  }
  std::vector<char> done(visit.size(), 0);
  for (std::size_t start = 0; start < visit.size(); ++start) {
    if (done[start] != 0) continue;
    std::copy_n(row_pointer(H, static_cast<index>(start)), n, kept.begin());
    std::size_t i = start;
    for (; static_cast<std::size_t>(visit[i]) != start; i = static_cast<std::size_t>(visit[i])) {
      std::copy_n(row_pointer(H, visit[i]), n, row_pointer(H, static_cast<index>(i)));
      done[i] = 1;
    }
    std::copy(kept.begin(), kept.end(), row_pointer(H, static_cast<index>(i)));
    done[i] = 1;
  }
}

}  // namespace detail

LUQ_INLINE hessian_factor factorize_hessian_in_place(matrix&& H, const damping_options& options,
                                                     executor_ref executor) {
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
  std::vector<float> diagonal(static_cast<std::size_t>(n));
  for (index j = 0; j < n; ++j) {
    const float h = H(j, j);
    if (h < 0.0f) {
      fail(errc::indefinite_hessian, "Hessian: expected a non-negative diagonal, got ", h, " for input ", j);
    }
    if (h == 0.0f) result.dead[static_cast<std::size_t>(j)] = 1;
    diagonal[static_cast<std::size_t>(j)] = h;
  }
  const double mean = mean_live_diagonal(H);

  result.U = std::move(H);
  for (double damp = options.first; damp <= options.last * (1 + 1e-9); damp *= 2) {
    // The strictly lower triangle keeps H for the next attempt.
    if (result.factorizations > 0) mirror_lower(result.U);
    ++result.factorizations;
    result.ridge = static_cast<float>(damp * mean);
    for (index j = 0; j < n; ++j) result.U(j, j) = diagonal[static_cast<std::size_t>(j)] + result.ridge;
    if (!detail::invert_factor(result.U, detail::factor_tile, executor)) continue;
    if (!detail::upper_is_finite(result.U)) continue;
    for (index i = 0; i < n; ++i) std::fill_n(detail::row_pointer(result.U, i), i, 0.0f);
    result.damp = damp;
    return result;
  }
  fail(errc::indefinite_hessian, "Hessian of ", n, " inputs: not positive definite even with ", options.last,
       " of the mean diagonal of its live inputs added");
}

LUQ_INLINE hessian_factor factorize_in_order(matrix&& H, const factor_options& options, executor_ref executor) {
  if (options.order == column_order::natural) {
    return factorize_hessian_in_place(std::move(H), options.damping, executor);
  }
  std::vector<index> visit = detail::visiting_order(H, options.order, options.group);
  detail::permute_both_sides(H, visit);
  hessian_factor factor = factorize_hessian_in_place(std::move(H), options.damping, executor);
  factor.order = std::move(visit);
  return factor;
}

LUQ_INLINE hessian_factor factorize_hessian(const matrix_view& H, const damping_options& options,
                                            executor_ref executor) {
  return factorize_hessian_in_place(matrix(H), options, executor);
}

}  // namespace luq
