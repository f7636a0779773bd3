// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

#include "luq/core/all_finite.hpp"
#include "luq/core/detail/row_pointer.hpp"

namespace luq {
namespace detail {

/// A word whose highest bit says whether x is a NaN or an infinity.
[[nodiscard]] constexpr std::uint32_t flag_if_not_finite(const float& x) noexcept {
  return (std::bit_cast<std::uint32_t>(x) & 0x7fffffffu) + 0x00800000u;
}

}  // namespace detail

LUQ_INLINE bool all_finite(const float* values, index count) {
#ifdef __GNUC__
  __asm__("" : "+r"(values) : : "memory");  // what is known of these numbers is forgotten, see is_finite.hpp
#endif
  constexpr index at_once = 64;  // a constant, so that compilers use vectors without being asked to
  std::uint32_t flags = 0;
  index i = 0;
  for (; i + at_once <= count; i += at_once) {
    std::uint32_t of_block = 0;
    for (index j = 0; j < at_once; ++j) of_block |= detail::flag_if_not_finite(values[i + j]);
    flags |= of_block;
  }
  for (; i < count; ++i) flags |= detail::flag_if_not_finite(values[i]);
  return flags < 0x80000000u;
}

LUQ_INLINE bool all_finite(const matrix_view& A) {
  for (index r = 0; r < A.rows(); ++r) {
    if (!all_finite(detail::row_pointer(A, r), A.cols())) return false;
  }
  return true;
}

}  // namespace luq
