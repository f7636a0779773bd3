// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What AWQ divides inputs by.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "luq/core/half.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/quantizers/detail/awq_factors.hpp"

namespace luq::detail {

LUQ_INLINE std::vector<float> awq_factors(std::span<const float> magnitude, double t, double smallest) {
  double sum = 0;
  double live = 0;
  double least_live = (std::numeric_limits<double>::max)();
  for (const float m : magnitude) {
    if (m == 0.0f) continue;
    sum += static_cast<double>(m);
    ++live;
    least_live = (std::min)(least_live, static_cast<double>(m));
  }
  if (live == 0) return std::vector<float>(magnitude.size(), 1.0f);
  std::vector<double> s;
  for (const float m : magnitude) {
    const double size = m == 0.0f ? least_live : static_cast<double>(m);
    s.push_back((std::max)(std::pow(size / (sum / live), t), smallest));
  }
  const auto [least, greatest] = std::minmax_element(s.begin(), s.end());
  const double center = std::sqrt(*least * *greatest);
  std::vector<float> factors;
  for (const double scale : s) factors.push_back(static_cast<float>(center / scale));
  return factors;
}

LUQ_INLINE bool fits_scaling(std::span<const float> factors) {
  return std::all_of(factors.begin(), factors.end(), [](float f) {
    const auto stored = static_cast<float>(half(f));
    return is_finite(stored) && stored != 0.0f;
  });
}

}  // namespace luq::detail
