// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Three values a weight, w in {-a, 0, +a}, with one scale a >= 0 per row and group.
//
//   tile | trit plane (radix 3, five trits a byte; trit 0 is -a, 1 is 0, 2 is +a) | h scales |
//
//   group 128: 26 bytes of trits and one fp16 = 1.750 bits a weight; 160: 32 + 2, 1.700; 256: 52 + 2, 1.688
//
// Given which weights are coded as non-zero (the largest in magnitude), the best scale is their weighted mean of |w|
// and removes (sum h|w|)^2 / sum h from the squared error; fit() takes the best count of non-zeros exactly, by one
// sort. (Ternary Weight Networks, Li and Liu 2016, eq. 5, which solves it approximately with a threshold of 0.75
// mean |w|.) The content is that of a ggml TQ1_0 block for group 256, in another order.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <span>
#include <string_view>
#include <vector>

#include "luq/codecs/weight_codec.hpp"

namespace luq {

template <class Scale = half>
struct basic_ternary_codec {
  index group = 128;  ///< columns that share a scale, >= 1, or whole_row; multiples of 5 waste no part of a byte

  static constexpr std::string_view family = "ternary";
  static constexpr double nominal_bits = 1.58;
  static constexpr std::array<std::uint16_t, 1> planes{3};

  void fit_row(std::span<const float> w, std::span<const float> weights, float* parameters) const {
    std::vector<std::size_t> order(w.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) {
      return std::abs(w[i]) > std::abs(w[j]) || (std::abs(w[i]) == std::abs(w[j]) && i < j);
    });
    double magnitude = 0;  // sum of h |w| over the non-zeros
    double total = 0;      // sum of h
    double most_removed = 0;
    double scale = 0;
    for (const std::size_t j : order) {
      magnitude += static_cast<double>(weights[j]) * std::abs(static_cast<double>(w[j]));
      total += static_cast<double>(weights[j]);
      if (total > 0 && magnitude * magnitude / total > most_removed) {
        most_removed = magnitude * magnitude / total;
        scale = magnitude / total;
      }
    }
    parameters[0] = detail::stored_value<Scale>(static_cast<float>(scale));
  }

  [[nodiscard]] code encode(float w, const float* parameters, int) const noexcept {
    const float threshold = 0.5f * parameters[0];
    return w > threshold ? 2 : w < -threshold ? 0 : 1;
  }

  template <class Visitor>
  constexpr void read_parameters(Visitor&& visitor) const {
    visitor.template scales<Scale>(1);
  }

  /// w = a * component, component = -1, 0 or 1.
  [[nodiscard]] static constexpr int component(code q, int) noexcept { return static_cast<int>(q) - 1; }

  [[nodiscard]] static constexpr bool accepts(const std::array<float, 1>& scales) { return scales[0] >= 0; }

  friend bool operator==(const basic_ternary_codec&, const basic_ternary_codec&) = default;
};

using ternary_codec = basic_ternary_codec<half>;

static_assert(WeightCodec<ternary_codec>);

}  // namespace luq
