// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "luq/core/assert.hpp"
#include "luq/core/detail/row_pointer.hpp"
#include "luq/core/mirror.hpp"

namespace luq {

LUQ_INLINE void mirror_lower(mutable_matrix_view A) {
  LUQ_ASSERT(A.rows() == A.cols());
  constexpr index tile = 64;
  const index size = A.rows();
  for (index i = 0; i < size; i += tile) {
    for (index j = i; j < size; j += tile) {
      for (index r = i; r < (std::min)(i + tile, size); ++r) {
        float* const row = detail::row_pointer(A, r);
        for (index c = (std::max)(j, r + 1); c < (std::min)(j + tile, size); ++c) row[c] = detail::row_pointer(A, c)[r];
      }
    }
  }
}

}  // namespace luq
