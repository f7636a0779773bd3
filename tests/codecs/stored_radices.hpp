// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Radices for tests that hold for each of them.
#pragma once

#include <doctest/doctest.h>

#include <type_traits>
#include <utility>

#include "codecs/base_five.hpp"

namespace luq_test {

/// Calls check(radix) for each radix that a codec of luq has, and for two that others may have.
template <class Check>
void for_each_stored_radix(Check&& check) {
  [&]<int... Radix>(std::integer_sequence<int, Radix...>) {
    const auto call = [&](auto radix) {
      CAPTURE(radix());
      check(radix);
    };
    (call(std::integral_constant<int, Radix>()), ...);
  }(std::integer_sequence<int, 2, 3, 4, 5, 8, 16, 256>());
}

}  // namespace luq_test
