// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Norms and distances of rows. Sixteen sums each, so that compilers use vectors without being allowed to reorder a sum.
#pragma once

#include <array>

#include "luq/core/index.hpp"

namespace luq::detail {

/// ||x||^2 of x [width], in double.
[[nodiscard]] inline double squared_norm(const float* x, index width) noexcept {
  constexpr index at_once = 16;
  std::array<double, at_once> sums{};
  index c = 0;
  for (; c + at_once <= width; c += at_once) {
    for (index j = 0; j < at_once; ++j) {
      const auto value = static_cast<double>(x[c + j]);
      sums[static_cast<std::size_t>(j)] += value * value;
    }
  }
  double total = 0;
  for (; c < width; ++c) total += static_cast<double>(x[c]) * static_cast<double>(x[c]);
  for (const double sum : sums) total += sum;
  return total;
}

/// ||x - y||^2 of x and y [width].
[[nodiscard]] inline float squared_distance(const float* x, const float* y, index width) noexcept {
  constexpr index at_once = 16;
  std::array<float, at_once> sums{};
  index c = 0;
  for (; c + at_once <= width; c += at_once) {
    for (index j = 0; j < at_once; ++j) {
      const float difference = x[c + j] - y[c + j];
      sums[static_cast<std::size_t>(j)] += difference * difference;
    }
  }
  float total = 0;
  for (; c < width; ++c) total += (x[c] - y[c]) * (x[c] - y[c]);
  for (const float sum : sums) total += sum;
  return total;
}

}  // namespace luq::detail
