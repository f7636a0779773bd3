// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Products of parts of matrices, added to a part of another. They are those of Eigen, of which it compiles a new one
// for each combination of types of operands, a block of a view being another type than a block of a matrix, in half a
// second or more each; here all operands are views or rows of floats.
#pragma once

#include "luq/core/compiled.hpp"
#include "luq/core/matrix_view.hpp"

namespace luq::detail {

/// C += factor A B. C [m x n] must not overlap A [m x k] or B [k x n].
void add_product(mutable_matrix_view C, float factor, const matrix_view& A, const matrix_view& B);

/// C += factor A^T B. C [m x n] must not overlap A [k x m] or B [k x n].
void add_product_of_transposed(mutable_matrix_view C, float factor, const matrix_view& A, const matrix_view& B);

/// C += factor A B^T. C [m x n] must not overlap A [m x k] or B [n x k].
void add_product_with_transposed(mutable_matrix_view C, float factor, const matrix_view& A, const matrix_view& B);

/// A part of a row-major matrix: its first element, and from one row to the next. Not a view, into which no part of a
/// matrix can be made without compiling how it would be copied.
template <class T>
struct matrix_part {
  T* data;
  index stride;
};

/// C += A^T B, as above, of the first `rows` rows and `cols` columns of C and the first `depth` rows of A and B.
void add_product_of_transposed(matrix_part<float> C, index rows, index cols, index depth, matrix_part<const float> A,
                               matrix_part<const float> B);

}  // namespace luq::detail

#ifndef LUQ_COMPILED
#include "luq/core/impl/matrix_products.hpp"
#endif
