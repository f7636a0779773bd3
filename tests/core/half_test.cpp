// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/core/half.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>

using luq::bfloat16;
using luq::half;

namespace {

/// The value of positive bits from the definition of the format, in double. The code after the largest finite number
/// reads as what it would be with one more exponent: round-to-nearest sees that value in the place of infinity.
double definition(std::uint32_t bits, int exponent_bits, int fraction_bits) {
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = static_cast<int>(bits >> fraction_bits);
  const double fraction = static_cast<double>(bits & ((1u << fraction_bits) - 1)) / (1 << fraction_bits);
  return exponent == 0 ? std::ldexp(fraction, 1 - bias) : std::ldexp(1 + fraction, exponent - bias);
}

/// Converts every value half way between two neighbours of the format, and the floats next to it, with both signs.
/// `infinity` is the code of infinity: neighbours are bits and bits + 1 for all bits below it.
template <class Storage>
void check_rounding(int exponent_bits, int fraction_bits, std::uint32_t infinity) {
  constexpr float inf = std::numeric_limits<float>::infinity();
  std::int64_t wrong = 0;
  for (std::uint32_t bits = 0; bits < infinity; ++bits) {
    const double below = definition(bits, exponent_bits, fraction_bits);
    const double above = definition(bits + 1, exponent_bits, fraction_bits);
    const auto middle = static_cast<float>((below + above) / 2);
    REQUIRE(static_cast<double>(middle) == (below + above) / 2);
    const auto even = static_cast<std::uint16_t>((bits & 1u) == 0 ? bits : bits + 1);
    const auto negative = [](std::uint32_t code) { return static_cast<std::uint16_t>(code | 0x8000u); };
    wrong += Storage(middle).bits != even;
    wrong += Storage(std::nextafter(middle, 0.0f)).bits != bits;
    wrong += Storage(std::nextafter(middle, inf)).bits != bits + 1;
    wrong += Storage(-middle).bits != negative(even);
    wrong += Storage(-std::nextafter(middle, 0.0f)).bits != negative(bits);
    wrong += Storage(-std::nextafter(middle, inf)).bits != negative(bits + 1);
    const auto exact = static_cast<float>(below);
    wrong += Storage(exact).bits != bits;
    wrong += Storage(std::nextafter(exact, inf)).bits != bits;
    if (bits > 0) wrong += Storage(std::nextafter(exact, 0.0f)).bits != bits;
  }
  CHECK(wrong == 0);
  CHECK(Storage(std::numeric_limits<float>::max()).bits == infinity);
  CHECK(Storage(inf).bits == infinity);
  CHECK(Storage(-inf).bits == (infinity | 0x8000u));
}

template <class Storage>
void check_decoding(int exponent_bits, int fraction_bits, std::uint32_t infinity) {
  std::int64_t wrong = 0;
  for (std::uint32_t bits = 0; bits < infinity; ++bits) {
    const auto positive = Storage::from_bits(static_cast<std::uint16_t>(bits));
    const auto negative = Storage::from_bits(static_cast<std::uint16_t>(bits | 0x8000u));
    const double value = definition(bits, exponent_bits, fraction_bits);
    wrong += static_cast<double>(static_cast<float>(positive)) != value;
    wrong += static_cast<double>(static_cast<float>(negative)) != -value;
    wrong += !std::signbit(static_cast<float>(negative));
  }
  CHECK(wrong == 0);
}

/// All 65 536 codes survive the way through float; a NaN comes back quiet, with its sign and payload.
template <class Storage>
void check_round_trip(std::uint32_t infinity, std::uint32_t quiet) {
  std::int64_t wrong = 0;
  for (std::uint32_t bits = 0; bits < 0x10000u; ++bits) {
    const bool is_nan = (bits & 0x7fffu) > infinity;
    const auto value = static_cast<float>(Storage::from_bits(static_cast<std::uint16_t>(bits)));
    wrong += std::isnan(value) != is_nan;
    wrong += Storage(value).bits != (is_nan ? (bits | quiet) : bits);
  }
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("half decodes every code as IEEE 754 defines it") {
  check_decoding<half>(5, 10, 0x7c00u);
}

TEST_CASE("half rounds to nearest, ties to even, at every boundary between neighbours") {
  check_rounding<half>(5, 10, 0x7c00u);
}

TEST_CASE("half survives a round trip through float") {
  check_round_trip<half>(0x7c00u, 0x0200u);
}

TEST_CASE("bfloat16 decodes every code as the upper half of a float") {
  check_decoding<bfloat16>(8, 7, 0x7f80u);
}

TEST_CASE("bfloat16 rounds to nearest, ties to even, at every boundary between neighbours") {
  check_rounding<bfloat16>(8, 7, 0x7f80u);
}

TEST_CASE("bfloat16 survives a round trip through float") {
  check_round_trip<bfloat16>(0x7f80u, 0x0040u);
}

TEST_CASE("NaNs whose payload lies in the bits that are cut off stay NaNs") {
  for (const std::uint32_t word : {0x7f800001u, 0xff800001u, 0x7fbfffffu, 0x7fffffffu}) {
    CAPTURE(word);
    const auto value = std::bit_cast<float>(word);
    CHECK((half(value).bits & 0x7fffu) > 0x7c00u);
    CHECK((bfloat16(value).bits & 0x7fffu) > 0x7f80u);
    CHECK((half(value).bits >> 15) == (word >> 31));
    CHECK((bfloat16(value).bits >> 15) == (word >> 31));
  }
}

TEST_CASE("floats below half of the smallest half become a zero of their sign") {
  CHECK(half(0x1p-25f).bits == 0x0000u);
  CHECK(half(-0x1p-25f).bits == 0x8000u);
  CHECK(half(std::numeric_limits<float>::denorm_min()).bits == 0x0000u);
  CHECK(half(-0.0f).bits == 0x8000u);
}

TEST_CASE("conversions are constant expressions") {
  static_assert(half(1.0f).bits == 0x3c00u);
  static_assert(static_cast<float>(half(65504.0f)) == 65504.0f);
  static_assert(bfloat16(-2.0f).bits == 0xc000u);
  static_assert(half(0.1f) == half::from_bits(0x2e66u));
}
