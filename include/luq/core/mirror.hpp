// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Makes a square matrix symmetric in its own memory, by tiles that fit the first cache: rows of one side of the
// diagonal are columns of the other, and a plain loop would fetch a cache line for each entry.
#pragma once

#include <algorithm>

#include "luq/core/matrix_view.hpp"

namespace luq {

/// Copies the strictly lower triangle of the square A to the strictly upper one.
inline void mirror_lower(mutable_matrix_view A) {
  LUQ_ASSERT(A.rows() == A.cols());
  constexpr index tile = 64;
  for (index i = 0; i < A.rows(); i += tile) {
    const index rows = (std::min)(tile, A.rows() - i);
    for (index r = i; r < i + rows; ++r) {
      for (index c = r + 1; c < i + rows; ++c) A(r, c) = A(c, r);
    }
    for (index j = i + rows; j < A.cols(); j += tile) {
      const index cols = (std::min)(tile, A.cols() - j);
      A.block(i, j, rows, cols) = A.block(j, i, cols, rows).transpose();
    }
  }
}

}  // namespace luq
