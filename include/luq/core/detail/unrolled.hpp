// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A loop of a number of steps that is known while compiling, written out. gcc unrolls loops too late to keep arrays
// that they index in registers where anything else touches them; with constants for indices it does.
#pragma once

#include <type_traits>
#include <utility>

#include "luq/core/index.hpp"
#include "luq/core/inline.hpp"

namespace luq::detail {

/// Calls step(std::integral_constant<index, i>()) for i = 0 ... Count-1.
template <index Count, class Step>
LUQ_ALWAYS_INLINE constexpr void unrolled(Step&& step) {
  [&]<index... I>(std::integer_sequence<index, I...>) {
    (step(std::integral_constant<index, I>()), ...);
  }(std::make_integer_sequence<index, Count>());
}

}  // namespace luq::detail
