// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Eigen's kernel of products is called by its own name, below its expressions, which choose among it and two more that
// are compiled with it: a tenth of the time to compile all three products. It is as old as Eigen 3 and has the same
// arguments in Eigen 5. What is passed by is a special product of vectors, which nobody here makes.
#pragma once

#include "luq/core/assert.hpp"
#include "luq/core/detail/matrix_products.hpp"

namespace luq::detail {

/// C += factor op(A) op(B), [rows x depth] times [depth x cols]; ColMajor is the order of an operand that is
/// transposed.
template <int OrderA, int OrderB>
void add_general_product(matrix_part<float> C, index rows, index cols, index depth, float factor,
                         matrix_part<const float> A, matrix_part<const float> B) {
  if (rows == 0 || cols == 0 || depth == 0) return;
  using namespace Eigen::internal;
  gemm_blocking_space<Eigen::RowMajor, float, float, Eigen::Dynamic, Eigen::Dynamic, Eigen::Dynamic> blocking(
      rows, cols, depth, 1, true);
  general_matrix_matrix_product<index, float, OrderA, false, float, OrderB, false, Eigen::RowMajor, 1>::run(
      rows, cols, depth, A.data, A.stride, B.data, B.stride, C.data, 1, C.stride, factor, blocking, nullptr);
}

LUQ_INLINE void add_product(mutable_matrix_view C, float factor, const matrix_view& A, const matrix_view& B) {
  LUQ_ASSERT(A.rows() == C.rows() && B.cols() == C.cols() && A.cols() == B.rows());
  add_general_product<Eigen::RowMajor, Eigen::RowMajor>({C.data(), C.outerStride()}, C.rows(), C.cols(), A.cols(),
                                                        factor, {A.data(), A.outerStride()},
                                                        {B.data(), B.outerStride()});
}

LUQ_INLINE void add_product_of_transposed(mutable_matrix_view C, float factor, const matrix_view& A,
                                          const matrix_view& B) {
  LUQ_ASSERT(A.cols() == C.rows() && B.cols() == C.cols() && A.rows() == B.rows());
  add_general_product<Eigen::ColMajor, Eigen::RowMajor>({C.data(), C.outerStride()}, C.rows(), C.cols(), A.rows(),
                                                        factor, {A.data(), A.outerStride()},
                                                        {B.data(), B.outerStride()});
}

LUQ_INLINE void add_product_with_transposed(mutable_matrix_view C, float factor, const matrix_view& A,
                                            const matrix_view& B) {
  LUQ_ASSERT(A.rows() == C.rows() && B.rows() == C.cols() && A.cols() == B.cols());
  add_general_product<Eigen::RowMajor, Eigen::ColMajor>({C.data(), C.outerStride()}, C.rows(), C.cols(), A.cols(),
                                                        factor, {A.data(), A.outerStride()},
                                                        {B.data(), B.outerStride()});
}

LUQ_INLINE void add_product_of_transposed(matrix_part<float> C, index rows, index cols, index depth,
                                          matrix_part<const float> A, matrix_part<const float> B) {
  add_general_product<Eigen::ColMajor, Eigen::RowMajor>(C, rows, cols, depth, 1.0f, A, B);
}

}  // namespace luq::detail
