// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What blocks of ggml mean, written from ggml-common.h's layouts one weight at a time, and from nothing of luq: half
// scales by the definition of IEEE 754, codes by the picture of each type.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "luq/core/index.hpp"

namespace luq_test {

/// The float of an IEEE half.
[[nodiscard]] inline float half_value(unsigned bits) {
  const int exponent = static_cast<int>(bits >> 10) & 31;
  const int fraction = static_cast<int>(bits) & 1023;
  const float magnitude = exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                                        : std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
  return (bits & 0x8000u) != 0 ? -magnitude : magnitude;
}

/// The weight at row r, column c of a tensor.
/// @param type  "q1_0", "q4_0", "q8_0", "f16" or "f32"
[[nodiscard]] inline float ggml_value(std::string_view type, std::span<const std::byte> data, luq::index cols,
                                      luq::index r, luq::index c) {
  const auto byte = [&](luq::index position) {
    return std::to_integer<unsigned>(data[static_cast<std::size_t>(position)]);
  };
  const luq::index weights = type == "q1_0" ? 128 : type == "f16" || type == "f32" ? 1 : 32;
  const luq::index bytes = type == "q8_0" ? 34 : type == "f16" ? 2 : type == "f32" ? 4 : 18;
  const luq::index begin = (r * cols + c) / weights * bytes;
  const luq::index j = (r * cols + c) % weights;
  if (type == "f32") {
    const unsigned word = byte(begin) | byte(begin + 1) << 8 | byte(begin + 2) << 16 | byte(begin + 3) << 24;
    const int exponent = static_cast<int>(word >> 23) & 255;
    const int fraction = static_cast<int>(word & 0x7fffffu);
    const float magnitude = exponent == 0 ? std::ldexp(static_cast<float>(fraction), -149)
                                          : std::ldexp(static_cast<float>(0x800000 + fraction), exponent - 150);
    return word >> 31 != 0 ? -magnitude : magnitude;
  }
  const float d = half_value(byte(begin) + 256 * byte(begin + 1));
  if (type == "f16") return d;
  if (type == "q1_0") return (byte(begin + 2 + j / 8) >> (j % 8) & 1u) != 0 ? d : -d;
  if (type == "q8_0") return static_cast<float>(static_cast<std::int8_t>(byte(begin + 2 + j))) * d;
  const unsigned pair = byte(begin + 2 + j % 16);  // q4_0
  return static_cast<float>(static_cast<int>(j < 16 ? pair & 15u : pair >> 4) - 8) * d;
}

}  // namespace luq_test
