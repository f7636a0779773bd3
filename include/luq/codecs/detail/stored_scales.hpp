// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What the scales of codecs have in common: how they are rounded to what is stored, and how that is named.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <string>

#include "luq/core/error.hpp"
#include "luq/core/half.hpp"
#include "luq/core/is_finite.hpp"

namespace luq::detail {

/// The part of a codec's name that says how scales are stored; empty for fp16, the default.
template <class Scale>
[[nodiscard]] std::string scale_suffix() {
  static_assert(std::same_as<Scale, half> || std::same_as<Scale, float>, "scales are stored as luq::half or float");
  return std::same_as<Scale, half> ? "" : ":f32";
}

/// Rounds scales to their storage type. Returns false, with nothing written, if one does not fit it.
template <class Stored, std::size_t Count>
[[nodiscard]] bool store_rounded(const std::array<float, Count>& scales, float* parameters) {
  std::array<float, Count> rounded;
  for (std::size_t i = 0; i < Count; ++i) {
    rounded[i] = static_cast<float>(static_cast<Stored>(scales[i]));
    if (!is_finite(rounded[i])) return false;
  }
  std::copy(rounded.begin(), rounded.end(), parameters);
  return true;
}

/// A parameter as storage restores it. A magnitude that the storage type cannot hold is bad data, never an infinity.
template <class Stored>
[[nodiscard]] float stored_value(float value) {
  const auto result = static_cast<float>(static_cast<Stored>(value));
  if (!is_finite(result)) {
    fail(errc::non_finite, "codec parameter ", value, " does not fit its ", 8 * sizeof(Stored), "-bit storage type");
  }
  return result;
}

}  // namespace luq::detail
