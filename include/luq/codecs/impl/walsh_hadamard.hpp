// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The fast Walsh-Hadamard transform.
#pragma once

#include <Eigen/Core>
#include <array>
#include <bit>

#include "luq/codecs/detail/walsh_hadamard.hpp"

namespace luq::detail {

/// H_8, row by row.
inline constexpr std::array<float, 64> hadamard_8 = [] {
  std::array<float, 64> result{};
  for (unsigned i = 0; i < 64; ++i) result[i] = std::popcount(i / 8 & i % 8) % 2 == 0 ? 1.0f : -1.0f;
  return result;
}();

LUQ_INLINE void walsh_hadamard(float* x, index n) {
  using lanes = Eigen::Array<float, 8, 1>;
  using chunk = Eigen::Map<lanes>;
  const auto signs_of = [](int row) { return Eigen::Map<const lanes>(hadamard_8.data() + 8 * row); };
  index half_span = 1;
  if (n >= 8) {
    // H_8 of neighbours as eight multiply-adds of whole vectors instead of three stages of shuffles.
    for (index i = 0; i < n; i += 8) {
      const float* v = x + i;
      lanes sum = v[0] * signs_of(0);
      for (int j = 1; j < 8; ++j) sum += v[j] * signs_of(j);
      chunk(x + i) = sum;
    }
    half_span = 8;
    // Two stages at once: half the passes over memory.
    for (; 4 * half_span <= n; half_span *= 4) {
      for (index begin = 0; begin < n; begin += 4 * half_span) {
        for (float* p = x + begin; p < x + begin + half_span; p += 8) {
          chunk a(p), b(p + half_span), c(p + 2 * half_span), d(p + 3 * half_span);
          const lanes sum_ab = a + b;
          const lanes difference_ab = a - b;
          const lanes sum_cd = c + d;
          const lanes difference_cd = c - d;
          a = sum_ab + sum_cd;
          b = difference_ab + difference_cd;
          c = sum_ab - sum_cd;
          d = difference_ab - difference_cd;
        }
      }
    }
    if (half_span < n) {
      for (float* p = x; p < x + half_span; p += 8) {
        chunk a(p), b(p + half_span);
        const lanes sum = a + b;
        b = a - b;
        a = sum;
      }
    }
    return;
  }
  for (; half_span < n; half_span *= 2) {
    for (index begin = 0; begin < n; begin += 2 * half_span) {
      for (index i = begin; i < begin + half_span; ++i) {
        const float sum = x[i] + x[i + half_span];
        x[i + half_span] = x[i] - x[i + half_span];
        x[i] = sum;
      }
    }
  }
}

}  // namespace luq::detail
