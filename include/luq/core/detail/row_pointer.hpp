// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Rows by their first element, for plain loops over them: an expression of Eigen is compiled anew for each combination
// of types, 10 ... 30 ms each, in every unit that includes it.
#pragma once

#include "luq/core/matrix_view.hpp"

namespace luq::detail {

[[nodiscard]] inline const float* row_pointer(const matrix& A, index row) noexcept {
  return A.data() + row * A.cols();
}
[[nodiscard]] inline float* row_pointer(matrix& A, index row) noexcept {
  return A.data() + row * A.cols();
}
[[nodiscard]] inline const float* row_pointer(const matrix_view& A, index row) noexcept {
  return A.data() + row * A.outerStride();
}
[[nodiscard]] inline float* row_pointer(mutable_matrix_view& A, index row) noexcept {
  return A.data() + row * A.outerStride();
}

}  // namespace luq::detail
