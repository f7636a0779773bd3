// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Whether all numbers of a matrix are finite, at the speed of memory. x * 0 is a zero if x is finite and a NaN if not,
// and so is the sum of these; Eigen's own allFinite() looks at one number at a time.
#pragma once

#include "luq/core/matrix_view.hpp"

namespace luq {

[[nodiscard]] inline bool all_finite(const float* values, index count) {
  return (Eigen::Map<const Eigen::ArrayXf>(values, count) * 0.0f).sum() == 0.0f;
}

[[nodiscard]] inline bool all_finite(const matrix_view& A) {
  for (index r = 0; r < A.rows(); ++r) {
    if (!all_finite(A.row(r).data(), A.cols())) return false;
  }
  return true;
}

}  // namespace luq
