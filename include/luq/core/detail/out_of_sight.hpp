// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Bits that the compiler knows nothing of, for tests of numbers that -ffast-math would remove (is_finite.hpp).
#pragma once

#include <type_traits>

#include "luq/core/inline.hpp"

namespace luq::detail {

/// `bits`, of which the compiler is to know nothing.
template <class Bits>
LUQ_ALWAYS_INLINE constexpr Bits out_of_sight(Bits bits) noexcept {
#ifdef __GNUC__
  if (!std::is_constant_evaluated()) {
    __asm__("" : "+r"(bits));
  }
#endif
  return bits;
}

}  // namespace luq::detail
