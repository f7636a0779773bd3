// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Sums over rows of floats. Sixteen partial sums each, so that compilers use vectors without being allowed to reorder a
// sum.
#pragma once

#include <array>
#include <cstddef>

#include "luq/core/compiled.hpp"
#include "luq/core/index.hpp"

namespace luq::detail {

/// Sum of term(i) over i < width, as Sum.
template <class Sum, class Term>
[[nodiscard]] Sum sum_by_sixteen(index width, const Term& term) noexcept {
  constexpr index at_once = 16;
  std::array<Sum, at_once> sums{};
  index i = 0;
  for (; i + at_once <= width; i += at_once) {
    for (index j = 0; j < at_once; ++j) sums[static_cast<std::size_t>(j)] += term(i + j);
  }
  Sum total = 0;
  for (; i < width; ++i) total += term(i);
  for (const Sum sum : sums) total += sum;
  return total;
}

/// x^T y of x and y [width].
[[nodiscard]] inline float dot(const float* x, const float* y, index width) noexcept {
  return sum_by_sixteen<float>(width, [x, y](index i) { return x[i] * y[i]; });
}

/// ||x||^2 of x [width], in double.
[[nodiscard]] inline double squared_norm(const float* x, index width) noexcept {
  return sum_by_sixteen<double>(width, [x](index i) { return static_cast<double>(x[i]) * static_cast<double>(x[i]); });
}

/// ||x - y||^2 of x and y [width].
[[nodiscard]] inline float squared_distance(const float* x, const float* y, index width) noexcept {
  return sum_by_sixteen<float>(width, [x, y](index i) { return (x[i] - y[i]) * (x[i] - y[i]); });
}

/// y += factor x, of x and y [width] that do not overlap. By vectors of Eigen: compilers that must expect an overlap do
/// not use any at -O2.
void add_scaled(float* y, float factor, const float* x, index width);

}  // namespace luq::detail

#ifndef LUQ_COMPILED
#include "luq/core/impl/row_operations.hpp"
#endif
