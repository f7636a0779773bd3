// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// In which planes codes of so many bits are stored.
#pragma once

#include <array>
#include <cstdint>

namespace luq::detail {

/// Radices of the planes of a code of `Bits` bits, lowest first. Three bits are two and one, for bytes hold whole
/// symbols.
template <unsigned Bits>
[[nodiscard]] constexpr auto bit_planes() {
  if constexpr (Bits == 3) {
    return std::array<std::uint16_t, 2>{4, 2};
  } else {
    return std::array<std::uint16_t, 1>{1u << Bits};
  }
}

}  // namespace luq::detail
