// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// From the range of a group of weights to the scale and the zero point of its integers, and the search for a better
// range (int_codec.hpp).
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>

#include "luq/codecs/detail/stored_scales.hpp"

namespace luq::detail {

struct range_of_weights {
  float low;
  float high;
};

/// The least and the greatest weight, or 0 if all are on one side of it; in symmetric groups the same distance from 0,
/// but for a group without a negative weight that is `one_sided`.
[[nodiscard]] inline range_of_weights integer_range(std::span<const float> w, bool symmetric, bool one_sided) {
  float low = 0;
  float high = 0;
  for (const float x : w) {
    low = (std::min)(low, x);
    high = (std::max)(high, x);
  }
  if (!symmetric) return {low, high};
  high = (std::max)(-low, high);
  return {low < 0 || !one_sided ? -high : low, high};
}

/// Scale and zero point of codes 0 ... max_code that span low ... high, low <= 0 <= high, as they are stored.
template <class Scale>
void set_integer_range(float low, float high, float max_code, bool symmetric, float* parameters) {
  const float scale = stored_value<Scale>((high - low) / max_code);
  parameters[0] = scale;
  parameters[1] = symmetric      ? 0.5f * (max_code + 1)
                  : scale == 0.f ? 0.0f
                                 : std::clamp(std::nearbyint(-low / scale), 0.0f, max_code);
}

/// The best of 80 ranges, low ... high shrunk by 0, 1, ... 79 per cent, under sum h |w - q|^2.4.
/// @param set_range  set_range(low, high, parameters)
template <class Codec, class SetRange>
void search_integer_range(const Codec& codec, SetRange&& set_range, std::span<const float> w,
                          std::span<const float> weights, float low, float high, float* best) {
  constexpr int steps = 80;
  constexpr float exponent = 2.4f;
  // Errors are taken in the power of two above the range: 2.4 is no integer, so that the rounding of pow() would
  // otherwise depend on the unit of weights.
  int unit = 0;
  static_cast<void>(std::frexp(high - low, &unit));
  const double per_unit = std::ldexp(1.0, -unit);
  float least = (std::numeric_limits<float>::max)();
  for (int i = 0; i < steps; ++i) {
    const float shrink = static_cast<float>(1.0 - i / 100.0);
    std::array<float, 2> candidate{};
    set_range(shrink * low, shrink * high, candidate.data());
    float error = 0;
    for (std::size_t j = 0; j < w.size(); ++j) {
      const float value = codec.decode(codec.encode(w[j], candidate.data(), 0), candidate.data(), 0);
      const double distance = std::abs(static_cast<double>(value - w[j])) * per_unit;
      error += weights[j] * std::pow(static_cast<float>(distance), exponent);
    }
    if (error < least) {
      least = error;
      std::copy(candidate.begin(), candidate.end(), best);
    }
  }
}

}  // namespace luq::detail
