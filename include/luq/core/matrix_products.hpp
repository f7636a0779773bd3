// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Products of parts of matrices, added to a part of another. Eigen compiles a product anew for each combination of types
// of its operands, a block of a view being another type than a block of a matrix, which takes a second or more each;
// here all operands are views.
#pragma once

#include "luq/core/matrix_view.hpp"

namespace luq::detail {

/// C += factor A B. C [m x n] must not overlap A [m x k] or B [k x n].
inline void add_product(mutable_matrix_view C, float factor, const matrix_view& A, const matrix_view& B) {
  C.noalias() += factor * A * B;
}

/// C += factor A^T B. C [m x n] must not overlap A [k x m] or B [k x n].
inline void add_product_of_transposed(mutable_matrix_view C, float factor, const matrix_view& A, const matrix_view& B) {
  C.noalias() += factor * A.transpose() * B;
}

/// C += factor A B^T. C [m x n] must not overlap A [m x k] or B [n x k].
inline void add_product_with_transposed(mutable_matrix_view C, float factor, const matrix_view& A,
                                        const matrix_view& B) {
  C.noalias() += factor * A * B.transpose();
}

}  // namespace luq::detail
