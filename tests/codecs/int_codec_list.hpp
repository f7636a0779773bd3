// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Every integer codec.
#pragma once

#include <type_traits>

#include "luq/codecs/int_codec.hpp"

namespace luq_test {

/// Calls check(codec, bits) for every width and scale type, symmetric or not, as `options` has them otherwise.
template <class Check>
void for_each_int_codec(const luq::int_codec<4>& options, Check&& check) {
  const auto call = [&]<unsigned Bits>(std::integral_constant<unsigned, Bits>) {
    for (const bool symmetric : {false, true}) {
      check(luq::int_codec<Bits>{options.group, symmetric, options.range, options.published_one_sided_range}, Bits);
      check(
          luq::basic_int_codec<Bits, float>{options.group, symmetric, options.range, options.published_one_sided_range},
          Bits);
    }
  };
  call(std::integral_constant<unsigned, 2>{});
  call(std::integral_constant<unsigned, 3>{});
  call(std::integral_constant<unsigned, 4>{});
  call(std::integral_constant<unsigned, 8>{});
}

}  // namespace luq_test
