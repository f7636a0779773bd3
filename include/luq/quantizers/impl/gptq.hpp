// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The order in which column feedback visits columns, and what drift feeds forward.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

#include "luq/core/detail/block_view.hpp"
#include "luq/core/detail/matrix_products.hpp"
#include "luq/core/detail/row_pointer.hpp"
#include "luq/core/error.hpp"
#include "luq/quantizers/detail/drift_coupling.hpp"
#include "luq/quantizers/gptq.hpp"

namespace luq {
namespace detail {

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

/// The order in which columns are visited, see gptq.
LUQ_INLINE std::vector<index> visiting_order(const matrix& H, column_order order, index group) {
  std::vector<index> visit(static_cast<std::size_t>(H.cols()));
  std::iota(visit.begin(), visit.end(), index{0});
  sort_by_falling(group_diagonals(H, 1), 1, visit);
  if (order != column_order::group_aware) return visit;
  if (group < 0) fail(errc::invalid_argument, "gptq: expected group >= 1 or luq::whole_row, got ", group);
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

LUQ_INLINE matrix drift_coupling(const matrix& drift, float drift_share, const hessian_factor& factor,
                                 executor_ref executor) {
  constexpr index tile = 128;
  const matrix& U = factor.U;
  const index n = U.rows();
  const index strips = (n + tile - 1) / tile;
  matrix P(n, n);
  P.setZero();
  executor.parallel_for(strips, [&](index task) {
    // Early rows are more work than late ones. Every second strip first: a contiguous range of tasks has both.
    const index even = (strips + 1) / 2;
    const index first = (task < even ? 2 * task : 2 * (task - even) + 1) * tile;
    const index rows = (std::min)(tile, n - first);
    matrix D(rows, n - first);
    for (index r = 0; r < rows; ++r) {
      for (index c = first; c < n; ++c) D(r, c - first) = drift(factor.input(first + r), factor.input(c));
    }
    matrix T(rows, n - first);
    T.setZero();
    for (index j = first; j < n; j += tile) {
      const index cols = (std::min)(tile, n - j);
      add_product_with_transposed(block_view(T, 0, j - first, rows, cols), 1.0f,
                                  block_view(D, 0, j - first, rows, n - j), block_view(U, j, j, cols, n - j));
    }
    for (index r = 0; r < rows; ++r) {
      float* const row = row_pointer(T, r);
      std::fill_n(row, r + 1, 0.0f);
      for (index c = r + 1; c < T.cols(); ++c) row[c] *= drift_share;
    }
    for (index j = first; j < n; j += tile) {
      const index cols = (std::min)(tile, n - j);
      const index depth = j + cols - first;
      add_product(block_view(P, first, j, rows, cols), 1.0f, block_view(T, 0, 0, rows, depth),
                  block_view(U, first, j, depth, cols));
    }
  });
  return P;
}

}  // namespace detail

LUQ_INLINE hessian_factor gptq::factorize(matrix&& H, executor_ref executor) const {
  if (order == column_order::natural) return factorize_hessian_in_place(std::move(H), damping, executor);
  std::vector<index> visit = detail::visiting_order(H, order, group);
  detail::permute_both_sides(H, visit);
  hessian_factor factor = factorize_hessian_in_place(std::move(H), damping, executor);
  factor.order = std::move(visit);
  return factor;
}

}  // namespace luq
