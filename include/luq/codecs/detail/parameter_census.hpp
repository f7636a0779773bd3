// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// How many parameters a codec has, from its read_parameters().
#pragma once

#include <cstddef>

namespace luq::detail {

/// Visitor of read_parameters() that counts them.
struct parameter_census {
  int parameters = 0;
  int scales_count = 0;
  std::size_t scale_bytes = 0;

  template <class Stored>
  constexpr void scales(int count) {
    parameters += count;
    scales_count += count;
    scale_bytes = sizeof(Stored);
  }
  template <unsigned Bits>
  constexpr void bit_packed() {
    ++parameters;
  }
  constexpr void constant(float) { ++parameters; }
};

template <class Codec>
inline constexpr parameter_census census = [] {
  parameter_census count;
  Codec().read_parameters(count);
  return count;
}();

}  // namespace luq::detail
