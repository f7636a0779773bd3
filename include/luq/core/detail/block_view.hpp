// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Blocks of a matrix as views. A.block() of Eigen is another type for each type of A, and a function that takes a view
// is compiled with a copy of each: here a block is a view from the start.
#pragma once

#include <algorithm>

#include "luq/core/assert.hpp"
#include "luq/core/detail/row_pointer.hpp"
#include "luq/core/matrix_view.hpp"

namespace luq::detail {

/// Rows row ... row+rows-1 and columns col ... col+cols-1 of A, which must outlive the view.
[[nodiscard]] inline matrix_view block_view(const matrix& A, index row, index col, index rows, index cols) {
  LUQ_ASSERT(row >= 0 && col >= 0 && row + rows <= A.rows() && col + cols <= A.cols());
  return view(A.data() + row * A.cols() + col, rows, cols, A.cols());
}
[[nodiscard]] inline mutable_matrix_view block_view(matrix& A, index row, index col, index rows, index cols) {
  LUQ_ASSERT(row >= 0 && col >= 0 && row + rows <= A.rows() && col + cols <= A.cols());
  return view(A.data() + row * A.cols() + col, rows, cols, A.cols());
}
[[nodiscard]] inline matrix_view block_view(const matrix_view& A, index row, index col, index rows, index cols) {
  LUQ_ASSERT(row >= 0 && col >= 0 && row + rows <= A.rows() && col + cols <= A.cols());
  return view(A.data() + row * A.outerStride() + col, rows, cols, A.outerStride());
}
[[nodiscard]] inline mutable_matrix_view block_view(mutable_matrix_view& A, index row, index col, index rows,
                                                    index cols) {
  LUQ_ASSERT(row >= 0 && col >= 0 && row + rows <= A.rows() && col + cols <= A.cols());
  return view(A.data() + row * A.outerStride() + col, rows, cols, A.outerStride());
}

/// Copies A to the block of B [rows of A x cols of A] that begins at `row`, `col`.
inline void copy_to_block(const matrix_view& A, matrix& B, index row, index col) {
  LUQ_ASSERT(row >= 0 && col >= 0 && row + A.rows() <= B.rows() && col + A.cols() <= B.cols());
  for (index r = 0; r < A.rows(); ++r) std::copy_n(row_pointer(A, r), A.cols(), row_pointer(B, row + r) + col);
}

}  // namespace luq::detail
