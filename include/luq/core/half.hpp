// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The two 16-bit floating-point storage types of model files: IEEE 754 binary16 (`half`) and bfloat16. They only
// store: arithmetic is done in float. Conversion from float rounds to nearest, ties to even, exactly as IEEE 754
// prescribes, subnormals and overflow to infinity included; a NaN stays a (quiet) NaN. Conversion to float is exact.
//
//   half      s eeeee mmmmmmmmmm           value = (-1)^s 2^(e-15)  (1 + m/1024)    largest 65504, smallest 2^-24
//   bfloat16  s eeeeeeee mmmmmmm           value = (-1)^s 2^(e-127) (1 + m/128)     the upper half of a float
//
// Not Eigen::half: that one brings arithmetic, and its conversion depends on compiler flags.
#pragma once

#include <bit>
#include <cstdint>

namespace luq {

/// IEEE 754 binary16 storage.
struct half {
  std::uint16_t bits = 0;

  half() = default;

  explicit constexpr half(float value) noexcept {
    const auto word = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint16_t>((word >> 16) & 0x8000u);
    const std::uint32_t magnitude = word & 0x7fffffffu;
    if (magnitude > 0x7f800000u) {  // NaN: keep the upper payload bits and make it quiet
      bits = static_cast<std::uint16_t>(sign | 0x7e00u | ((magnitude >> 13) & 0x01ffu));
    } else if (magnitude >= 0x477ff000u) {  // 65520 and above round to infinity
      bits = static_cast<std::uint16_t>(sign | 0x7c00u);
    } else if (magnitude >= 0x38800000u) {  // normal: rebias the exponent by 127 - 15, round away 13 bits
      bits = static_cast<std::uint16_t>(sign | round_shift(magnitude - (112u << 23), 13));
    } else if (magnitude >= 0x33000000u) {  // subnormal: the significand in units of 2^-24
      const std::uint32_t significand = (magnitude & 0x007fffffu) | 0x00800000u;
      bits = static_cast<std::uint16_t>(sign | round_shift(significand, 126u - (magnitude >> 23)));
    } else {  // at most 2^-25, which ties to even zero
      bits = sign;
    }
  }

  [[nodiscard]] static constexpr half from_bits(std::uint16_t bits) noexcept {
    half result;
    result.bits = bits;
    return result;
  }

  constexpr operator float() const noexcept {
    const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
    const std::uint32_t exponent = (bits >> 10) & 0x1fu;
    const std::uint32_t fraction = bits & 0x03ffu;
    if (exponent == 0) {  // zero or subnormal: fraction * 2^-24, an exact product in float
      return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(static_cast<float>(fraction) * 0x1p-24f));
    }
    const std::uint32_t rebiased = exponent == 0x1fu ? 0xffu : exponent + 112u;
    return std::bit_cast<float>(sign | (rebiased << 23) | (fraction << 13));
  }

  friend constexpr bool operator==(half, half) = default;

 private:
  /// value / 2^shift, rounded to nearest, ties to even.
  static constexpr std::uint32_t round_shift(std::uint32_t value, std::uint32_t shift) noexcept {
    const std::uint32_t half_minus_one = (1u << (shift - 1)) - 1u;
    const std::uint32_t is_odd = (value >> shift) & 1u;
    return (value + half_minus_one + is_odd) >> shift;
  }
};

/// bfloat16 storage.
struct bfloat16 {
  std::uint16_t bits = 0;

  bfloat16() = default;

  explicit constexpr bfloat16(float value) noexcept {
    const auto word = std::bit_cast<std::uint32_t>(value);
    if ((word & 0x7fffffffu) > 0x7f800000u) {  // NaN: rounding could carry into infinity
      bits = static_cast<std::uint16_t>((word >> 16) | 0x0040u);
    } else {
      bits = static_cast<std::uint16_t>((word + 0x7fffu + ((word >> 16) & 1u)) >> 16);
    }
  }

  [[nodiscard]] static constexpr bfloat16 from_bits(std::uint16_t bits) noexcept {
    bfloat16 result;
    result.bits = bits;
    return result;
  }

  constexpr operator float() const noexcept { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

  friend constexpr bool operator==(bfloat16, bfloat16) = default;
};

static_assert(sizeof(half) == 2 && sizeof(bfloat16) == 2);

}  // namespace luq
