// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A radix that luq does not have, base 5 with three symbols in a byte, and a codec of five levels that is stored in it,
// w = a * {-2, -1, 0, 1, 2}: 2.67 bits a weight beside the scales.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>

#include "luq/codecs/weight_codec.hpp"

template <>
struct luq::radix_traits<5> {
  static constexpr luq::index symbols_per_byte = 3;

  static constexpr int extract(std::uint8_t byte, luq::index slot) noexcept {
    return byte / (slot == 0 ? 1 : slot == 1 ? 5 : 25) % 5;
  }
  static constexpr std::uint8_t combine(std::span<const std::uint8_t> symbols) noexcept {
    int value = 0;
    for (std::size_t slot = symbols.size(); slot > 0; --slot) value = 5 * value + symbols[slot - 1];
    return static_cast<std::uint8_t>(value);
  }
};

namespace luq_test {

struct base_five_codec {
  luq::index group = 128;

  friend bool operator==(const base_five_codec&, const base_five_codec&) = default;

  static constexpr std::string_view family = "base-five";
  static constexpr double nominal_bits = 2.32;
  static constexpr std::array<std::uint16_t, 1> planes{5};
  template <class Visitor>
  constexpr void read_parameters(Visitor&& visitor) const {
    visitor.template scales<luq::half>(1);
  }

  static constexpr int component(luq::code q, int) noexcept { return static_cast<int>(q) - 2; }

  /// The greatest weight is the last level.
  void fit_row(std::span<const float> w, std::span<const float>, float* parameters) const {
    float greatest = 0;
    for (const float x : w) greatest = std::max(greatest, std::abs(x));
    parameters[0] = static_cast<float>(luq::half(greatest / 2));
  }

  luq::code encode(float w, const float* parameters, int) const noexcept {
    if (parameters[0] == 0.0f) return 2;
    return static_cast<luq::code>(std::nearbyint(std::clamp(w / parameters[0], -2.0f, 2.0f)) + 2.0f);
  }

  static constexpr bool accepts(const std::array<float, 1>& scales) { return scales[0] >= 0; }
};

}  // namespace luq_test
