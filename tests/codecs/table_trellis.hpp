// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A sequence codec whose levels are no computed_level but a table: codes are the last four symbols of radix 4, and each
// of the 256 has a level of its own.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>

#include "luq/codecs/weight_codec.hpp"

namespace luq_test {

struct table_trellis_codec {
  luq::index group = 128;

  friend bool operator==(const table_trellis_codec&, const table_trellis_codec&) = default;

  static constexpr std::string_view family = "table-trellis";
  static constexpr double nominal_bits = 2;
  static constexpr std::array<std::uint16_t, 1> planes{4};
  template <class Visitor>
  constexpr void read_parameters(Visitor&& visitor) const {
    visitor.template scales<luq::half>(1);
  }

  static constexpr int window = 4;
  static constexpr int code_count = 256;
  static constexpr luq::code next(luq::code previous, int symbol) noexcept {
    return static_cast<luq::code>(previous % 64 * 4 + symbol);
  }

  /// -126 ... 127, each met once but for one, as a permutation of codes.
  static constexpr auto table = [] {
    std::array<std::int8_t, 256> levels{};
    for (int q = 0; q < 256; ++q) {
      const int level = (q * 167 + 91) % 256 - 128;
      levels[static_cast<std::size_t>(q)] = static_cast<std::int8_t>(level < -126 ? -126 : level);
    }
    return levels;
  }();
  static constexpr int component(luq::code q, int) noexcept { return table[q]; }

  void fit_row(std::span<const float> w, std::span<const float>, float* parameters) const {
    float square = 0;
    for (const float x : w) square += x * x;
    parameters[0] = static_cast<float>(luq::half(std::sqrt(square / static_cast<float>(w.size())) / 74.0f));
  }

  /// Of the four symbols the one with the nearest level, column by column; zeros where that leaves more than zeros do.
  void code_row(std::span<const float> w, std::span<const float> importance, float* parameters,
                luq::code* codes) const {
    fit_row(w, importance, parameters);
    float error = 0;
    float square = 0;
    luq::code q = 0;
    for (std::size_t c = 0; c < w.size(); ++c) {
      const auto distance = [&](int symbol) {
        return std::abs(w[c] - parameters[0] * static_cast<float>(component(next(q, symbol), 0)));
      };
      int best = 0;
      for (int symbol = 1; symbol < 4; ++symbol) {
        if (distance(symbol) < distance(best)) best = symbol;
      }
      error += distance(best) * distance(best);
      square += w[c] * w[c];
      q = next(q, best);
      codes[c] = q;
    }
    if (error > square) parameters[0] = 0;
  }
};

}  // namespace luq_test
