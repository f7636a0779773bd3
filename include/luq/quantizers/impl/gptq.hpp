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

#include "luq/core/detail/matrix_products.hpp"
#include "luq/core/error.hpp"
#include "luq/quantizers/detail/drift_coupling.hpp"
#include "luq/quantizers/gptq.hpp"

namespace luq {
namespace detail {

/// Makes whole groups of a visiting order by falling H_jj, each in the order it has there.
LUQ_INLINE void gather_groups(const matrix& H, index group, std::vector<index>& visit) {
  if (group < 0) fail(errc::invalid_argument, "gptq: expected group >= 1 or luq::whole_row, got ", group);
  if (group == whole_row) return;
  const index cols = H.cols();
  std::vector<double> mean(static_cast<std::size_t>((cols + group - 1) / group), 0.0);
  for (index j = 0; j < cols; ++j) mean[static_cast<std::size_t>(j / group)] += static_cast<double>(H(j, j));
  // A shorter group comes last, so that group v begins at position v * group.
  if (cols % group != 0) mean.back() = -1;
  std::stable_sort(visit.begin(), visit.end(), [&](index a, index b) {
    const double mean_a = mean[static_cast<std::size_t>(a / group)];
    const double mean_b = mean[static_cast<std::size_t>(b / group)];
    return mean_a > mean_b || (mean_a == mean_b && a / group < b / group);
  });
}

/// H(i, j) = H(visit[i], visit[j]), in place.
LUQ_INLINE void permute_both_sides(matrix& H, const std::vector<index>& visit) {
  matrix row(1, H.cols());
  for (index i = 0; i < H.rows(); ++i) {
    for (index j = 0; j < H.cols(); ++j) row(0, j) = H(i, visit[static_cast<std::size_t>(j)]);
    H.row(i) = row;
  }
  std::vector<char> done(visit.size(), 0);
  for (std::size_t start = 0; start < visit.size(); ++start) {
    if (done[start] != 0) continue;
    row = H.row(static_cast<index>(start));
    std::size_t i = start;
    for (; static_cast<std::size_t>(visit[i]) != start; i = static_cast<std::size_t>(visit[i])) {
      H.row(static_cast<index>(i)) = H.row(visit[i]);
      done[i] = 1;
    }
    H.row(static_cast<index>(i)) = row;
    done[i] = 1;
  }
}

LUQ_INLINE matrix drift_coupling(const matrix& drift, float drift_share, const hessian_factor& factor,
                                 executor_ref executor) {
  constexpr index tile = 128;
  const matrix& U = factor.U;
  const index n = U.rows();
  const index strips = (n + tile - 1) / tile;
  matrix P = matrix::Zero(n, n);
  executor.parallel_for(strips, [&](index task) {
    // Early rows are more work than late ones. Every second strip first: a contiguous range of tasks has both.
    const index even = (strips + 1) / 2;
    const index first = (task < even ? 2 * task : 2 * (task - even) + 1) * tile;
    const index rows = (std::min)(tile, n - first);
    matrix D(rows, n - first);
    for (index r = 0; r < rows; ++r) {
      for (index c = first; c < n; ++c) D(r, c - first) = drift(factor.input(first + r), factor.input(c));
    }
    matrix T = matrix::Zero(rows, n - first);
    for (index j = first; j < n; j += tile) {
      const index cols = (std::min)(tile, n - j);
      add_product_with_transposed(T.middleCols(j - first, cols), 1.0f, D.rightCols(n - j), U.block(j, j, cols, n - j));
    }
    for (index r = 0; r < rows; ++r) T.row(r).head(r + 1).setZero();
    T *= drift_share;
    for (index j = first; j < n; j += tile) {
      const index cols = (std::min)(tile, n - j);
      add_product(P.block(first, j, rows, cols), 1.0f, T.leftCols(j + cols - first),
                  U.block(first, j, j + cols - first, cols));
    }
  });
  return P;
}

}  // namespace detail

LUQ_INLINE hessian_factor gptq::factorize(matrix&& H, executor_ref executor) const {
  if (order == column_order::natural) return factorize_hessian_in_place(std::move(H), damping, executor);
  std::vector<index> visit(static_cast<std::size_t>(H.cols()));
  std::iota(visit.begin(), visit.end(), index{0});
  std::stable_sort(visit.begin(), visit.end(), [&](index a, index b) { return H(a, a) > H(b, b); });
  if (order == column_order::group_aware) detail::gather_groups(H, group, visit);
  detail::permute_both_sides(H, visit);
  hessian_factor factor = factorize_hessian_in_place(std::move(H), damping, executor);
  factor.order = std::move(visit);
  return factor;
}

}  // namespace luq
