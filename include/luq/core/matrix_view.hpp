// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Row-major float matrices, and views of matrices that the caller owns. Views are Eigen::Ref with unit inner stride
// and any outer stride (counted in ELEMENTS, >= cols), so that a block of a larger buffer is passed without a copy.
// An Eigen expression of another layout (column-major, a product) is evaluated into a temporary when it is passed as
// `matrix_view`, and does not compile as `mutable_matrix_view`.
//
// Names keep the papers' capitals: W [out x in] weights, X [tokens x in] activations, H [in x in] Hessian.
#pragma once

#include <Eigen/Core>
#include <type_traits>

#include "luq/core/assert.hpp"
#include "luq/core/detail/eigen_alignment.hpp"
#include "luq/core/index.hpp"
#include "luq/core/matrix_declarations.hpp"

namespace luq {

static_assert(std::is_same_v<index, Eigen::Index>,
              "luq: EIGEN_DEFAULT_DENSE_INDEX_TYPE must be std::ptrdiff_t, as it is by default");

static_assert(std::is_same_v<matrix, Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>);
static_assert(std::is_same_v<matrix_view, Eigen::Ref<const matrix, Eigen::Unaligned, Eigen::OuterStride<>>>);

/// A view of caller memory as a row-major [rows x cols] matrix, for callers that do not use Eigen.
/// @param data    first element; read only; may be unaligned to more than alignof(T); null only if rows*cols == 0
/// @param stride  distance between two rows in ELEMENTS, >= cols
template <class T>
[[nodiscard]] auto view(const T* data, index rows, index cols, index stride) {
  LUQ_ASSERT(rows >= 0 && cols >= 0 && stride >= cols);
  return Eigen::Map<const basic_matrix<T>, Eigen::Unaligned, Eigen::OuterStride<>>(data, rows, cols,
                                                                                   Eigen::OuterStride<>(stride));
}

/// As above, writable.
template <class T>
[[nodiscard]] auto view(T* data, index rows, index cols, index stride) {
  LUQ_ASSERT(rows >= 0 && cols >= 0 && stride >= cols);
  return Eigen::Map<basic_matrix<T>, Eigen::Unaligned, Eigen::OuterStride<>>(data, rows, cols,
                                                                             Eigen::OuterStride<>(stride));
}

/// As above for contiguous rows.
template <class T>
[[nodiscard]] auto view(T* data, index rows, index cols) {
  return view(data, rows, cols, cols);
}

}  // namespace luq
