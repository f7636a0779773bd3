// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// How the scales of codecs are rounded to what is stored.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>

#include "luq/core/error.hpp"
#include "luq/core/half.hpp"
#include "luq/core/is_finite.hpp"

namespace luq::detail {

/// Visitor of read_parameters() that rounds scales to their storage type.
template <int Count>
class scale_rounder {
 public:
  using values = std::array<float, static_cast<std::size_t>(Count)>;

  explicit scale_rounder(const values& scales) : rounded_(scales) {}

  [[nodiscard]] const values& rounded() const { return rounded_; }

  /// Whether the storage type holds all of them.
  [[nodiscard]] bool fits() const { return fits_; }

  template <class Stored>
  void scales(int count) {
    for (; count > 0; --count, ++next_) {
      rounded_[next_] = static_cast<float>(static_cast<Stored>(rounded_[next_]));
      fits_ = fits_ && is_finite(rounded_[next_]);
    }
  }
  template <unsigned Bits>
  void bit_packed() {}
  void constant(float) {}

 private:
  values rounded_;
  std::size_t next_ = 0;
  bool fits_ = true;
};

/// A parameter as storage restores it. A magnitude that the storage type cannot hold is bad data, never an infinity.
template <class Stored>
[[nodiscard]] float stored_value(float value) {
  static_assert(std::same_as<Stored, half> || std::same_as<Stored, float>, "scales are stored as luq::half or float");
  const auto result = static_cast<float>(static_cast<Stored>(value));
  if (!is_finite(result)) {
    fail(errc::non_finite, "codec parameter ", value, " does not fit its ", 8 * sizeof(Stored), "-bit storage type");
  }
  return result;
}

}  // namespace luq::detail
