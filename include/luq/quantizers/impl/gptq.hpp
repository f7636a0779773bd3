// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What drift feeds forward in column feedback.
#pragma once

#include <algorithm>
#include <cstddef>

#include "luq/core/detail/block_view.hpp"
#include "luq/core/detail/matrix_products.hpp"
#include "luq/core/detail/row_pointer.hpp"
#include "luq/core/error.hpp"
#include "luq/quantizers/detail/drift_coupling.hpp"
#include "luq/quantizers/gptq.hpp"

namespace luq {
namespace detail {

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

}  // namespace luq
