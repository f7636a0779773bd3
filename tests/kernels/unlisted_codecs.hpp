// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Codecs that luq does not have, one for each way of a kernel that none of luq's codecs takes. They are decoded and
// multiplied, and never chosen: fitting and encoding are those of a base.
#pragma once

#include <array>
#include <cstdint>

#include "codecs/base_five.hpp"
#include "codecs/table_trellis.hpp"
#include "luq/codecs/int_codec.hpp"

namespace luq_test {

/// A codec of other planes with one scale. It decodes; nothing is encoded.
template <class Own, std::uint16_t... Radix>
struct plane_table_codec : base_five_codec {
  static constexpr std::array<std::uint16_t, sizeof...(Radix)> planes{Radix...};
  static constexpr int component(luq::code q, int) noexcept { return Own::value(q); }
};

/// 32 levels in unequal steps: more than a lookup in 16 bytes finds.
struct thirty_two_levels {
  static constexpr int value(int q) { return q < 16 ? q * q - 127 : q * 4; }
};
using wide_table_codec = plane_table_codec<thirty_two_levels, 16, 2>;

/// Planes of radix 5 and 2, whose codes are no fields of bits: ten levels in unequal steps.
struct ten_levels {
  static constexpr int value(int q) { return q * q - 40; }
};
using ten_level_codec = plane_table_codec<ten_levels, 5, 2>;

/// A sum of two bits, 0, 1, 1 or 2, each worth as much, so that bits of operands carry.
struct counted_bits {
  static constexpr int value(int q) { return q % 2 + q / 2; }
};
using bit_count_codec = plane_table_codec<counted_bits, 2, 2>;

/// 64 levels in steps of three: a factor that is no power of two.
struct steps_of_three {
  static constexpr int value(int q) { return 3 * q - 96; }
};
using step_codec = plane_table_codec<steps_of_three, 4, 16>;

/// 32 falling levels: a factor below 0.
struct falling_steps {
  static constexpr int value(int q) { return 15 - q; }
};
using falling_codec = plane_table_codec<falling_steps, 16, 2>;

/// Trits in steps of ten beside a sign: words of 20 and of 32 columns.
struct signed_trits {
  static constexpr int value(int q) { return 10 * (q % 3) + 100 * (q / 3) - 60; }
};
using signed_trit_codec = plane_table_codec<signed_trits, 3, 2>;

/// Radix 8, which takes half a byte.
struct eight_levels {
  static constexpr int value(int q) { return 2 * q - 7; }
};
using octal_codec = plane_table_codec<eight_levels, 8>;

/// A sequence of two components, each by a table of its own.
struct two_table_trellis_codec : table_trellis_codec {
  static constexpr int components = 2;
  static constexpr int component(luq::code q, int i) noexcept { return i == 0 ? table[q] : table[255 - q] / 2; }
  template <class Number>
  constexpr std::array<Number, 3> coefficients(const Number* parameters, int) const {
    return {parameters[0], parameters[0], Number(0.0f)};
  }
};

/// The same levels as a trellis of radix 5, computed.
struct base_five_trellis_codec : table_trellis_codec {
  static constexpr std::array<std::uint16_t, 1> planes{5};
  static constexpr int window = 3;
  static constexpr int code_count = 125;
  static constexpr luq::code next(luq::code previous, int symbol) noexcept {
    return static_cast<luq::code>(previous % 25 * 5 + symbol);
  }
  static constexpr luq::computed_level level{.multiplier = 0x54b1e187u, .mask = 0x3f3f3f3fu, .offset = -126};
  static constexpr int component(luq::code q, int) noexcept { return level(q); }
};

}  // namespace luq_test
