// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The names of matrix_view.hpp without Eigen behind them, for headers that only declare functions of matrices. Whoever
// makes or reads a matrix includes matrix_view.hpp.
#pragma once

namespace Eigen {

template <typename Scalar, int Rows, int Cols, int Options, int MaxRows, int MaxCols>
class Matrix;
template <typename PlainObject, int Options, typename Stride>
class Ref;
template <int Value>
class OuterStride;

}  // namespace Eigen

namespace luq {

// In Eigen's words -1 is Eigen::Dynamic, the 1 of a matrix Eigen::RowMajor and the 0 of a view Eigen::Unaligned.

/// An owning row-major matrix of T.
template <class T>
using basic_matrix = Eigen::Matrix<T, -1, -1, 1, -1, -1>;

/// A read-only view of a row-major matrix of T, any outer stride; must outlive the call it is passed to.
template <class T>
using basic_matrix_view = Eigen::Ref<const basic_matrix<T>, 0, Eigen::OuterStride<-1>>;

/// A writable view of a row-major matrix of T, any outer stride.
template <class T>
using basic_mutable_matrix_view = Eigen::Ref<basic_matrix<T>, 0, Eigen::OuterStride<-1>>;

using matrix = basic_matrix<float>;
using matrix_view = basic_matrix_view<float>;
using mutable_matrix_view = basic_mutable_matrix_view<float>;

}  // namespace luq
