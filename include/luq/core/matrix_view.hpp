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
#include "luq/core/index.hpp"

namespace luq {

static_assert(std::is_same_v<index, Eigen::Index>,
              "luq: EIGEN_DEFAULT_DENSE_INDEX_TYPE must be std::ptrdiff_t, as it is by default");

/// An owning row-major matrix of T.
template <class T>
using basic_matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// A read-only view of a row-major matrix of T, any outer stride; must outlive the call it is passed to.
template <class T>
using basic_matrix_view = Eigen::Ref<const basic_matrix<T>, Eigen::Unaligned, Eigen::OuterStride<>>;

/// A writable view of a row-major matrix of T, any outer stride.
template <class T>
using basic_mutable_matrix_view = Eigen::Ref<basic_matrix<T>, Eigen::Unaligned, Eigen::OuterStride<>>;

using matrix = basic_matrix<float>;
using matrix_view = basic_matrix_view<float>;
using mutable_matrix_view = basic_mutable_matrix_view<float>;

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
