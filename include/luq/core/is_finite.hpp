// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Whether a number is finite, told by its bits: a NaN or an infinity has all bits of the exponent set.
//
//   float    s eeeeeeee mmm...    exponent 0x7f800000
//   double   s eeeeeeeeeee mmm... exponent 0x7ff0000000000000
//
// Not std::isfinite, std::isnan or comparisons that are false for a NaN, such as !(x >= 0): with -ffast-math a compiler
// takes every number to be finite, and removes them. It could do so with a test of bits, too, where it sees that they
// are those of a number that it computed or that was passed by value; so the number is passed by reference, and its
// bits go through an empty assembler statement, behind which the compiler knows nothing of them.
#pragma once

#include <bit>
#include <cstdint>

#include "luq/core/detail/out_of_sight.hpp"
#include "luq/core/inline.hpp"

namespace luq {

[[nodiscard]] LUQ_ALWAYS_INLINE constexpr bool is_finite(const float& x) noexcept {
  constexpr std::uint32_t exponent = 0x7f800000u;
  return (detail::out_of_sight(std::bit_cast<std::uint32_t>(x)) & exponent) != exponent;
}

[[nodiscard]] LUQ_ALWAYS_INLINE constexpr bool is_finite(const double& x) noexcept {
  constexpr std::uint64_t exponent = 0x7ff0000000000000u;
  return (detail::out_of_sight(std::bit_cast<std::uint64_t>(x)) & exponent) != exponent;
}

/// Whether x is no number at all; infinities are numbers.
[[nodiscard]] LUQ_ALWAYS_INLINE constexpr bool is_nan(const double& x) noexcept {
  constexpr std::uint64_t magnitude = 0x7fffffffffffffffu;
  constexpr std::uint64_t infinity = 0x7ff0000000000000u;
  return (detail::out_of_sight(std::bit_cast<std::uint64_t>(x)) & magnitude) > infinity;
}

}  // namespace luq
