// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Elements of a file as numbers of the machine. Files are little-endian and need not be aligned; both are dealt with
// one element at a time, which compilers turn into plain loads where the machine is little-endian.
//
// IWYU pragma: private, include "luq/io/safetensors/safetensors.hpp"
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include "luq/core/half.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/io/tensors/tensor_info.hpp"

namespace luq::detail {

template <std::size_t Bytes>
using unsigned_of_size = std::conditional_t<
    Bytes == 1, std::uint8_t,
    std::conditional_t<Bytes == 2, std::uint16_t, std::conditional_t<Bytes == 4, std::uint32_t, std::uint64_t>>>;

template <class T>
[[nodiscard]] T load_little_endian(const std::byte* source) noexcept {
  if constexpr (std::endian::native == std::endian::little) {
    T value;
    std::memcpy(&value, source, sizeof(T));
    return value;
  } else {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) bits |= std::to_integer<std::uint64_t>(source[i]) << (8 * i);
    return std::bit_cast<T>(static_cast<unsigned_of_size<sizeof(T)>>(bits));
  }
}

/// Calls visit(T{}) with the type of one element. False for types without one in C++.
template <class Visitor>
bool visit_dtype(tensor_dtype dtype, Visitor&& visit) {
  switch (dtype) {
    case tensor_dtype::f16:
      return visit(half{});
    case tensor_dtype::bf16:
      return visit(bfloat16{});
    case tensor_dtype::f32:
      return visit(float{});
    case tensor_dtype::f64:
      return visit(double{});
    case tensor_dtype::boolean:
    case tensor_dtype::u8:
      return visit(std::uint8_t{});
    case tensor_dtype::i8:
      return visit(std::int8_t{});
    case tensor_dtype::u16:
      return visit(std::uint16_t{});
    case tensor_dtype::i16:
      return visit(std::int16_t{});
    case tensor_dtype::u32:
      return visit(std::uint32_t{});
    case tensor_dtype::i32:
      return visit(std::int32_t{});
    case tensor_dtype::u64:
      return visit(std::uint64_t{});
    case tensor_dtype::i64:
      return visit(std::int64_t{});
    default:
      return false;
  }
}

/// Whether read_floats can convert the type.
[[nodiscard]] constexpr bool is_float_dtype(tensor_dtype dtype) noexcept {
  return dtype == tensor_dtype::f16 || dtype == tensor_dtype::bf16 || dtype == tensor_dtype::f32 ||
         dtype == tensor_dtype::f64;
}

/// Whether a finite double would round to an infinite float: half a unit in the last place above the largest float.
[[nodiscard]] inline bool overflows_float(double value) noexcept {
  return is_finite(value) && (value >= 0x1.ffffffp127 || value <= -0x1.ffffffp127);
}

/// Converts `target.size()` elements. F16, BF16 and F32 are exact; F64 rounds to nearest.
/// @return the first element whose finite value no float can approximate, if any
[[nodiscard]] std::optional<std::size_t> convert_to_floats(tensor_dtype dtype, const std::byte* source,
                                                           std::span<float> target);

/// Converts `target.size()` elements of an integer type or BOOL.
/// @return the first element that T cannot hold, or that is neither 0 nor 1 in a BOOL tensor, if any
template <std::integral Target>
[[nodiscard]] std::optional<std::size_t> convert_to_integers(tensor_dtype dtype, const std::byte* source,
                                                             std::span<Target> target) {
  std::optional<std::size_t> misfit;
  visit_dtype(dtype, [&]<class T>(T) {
    if constexpr (std::is_integral_v<T>) {
      for (std::size_t i = 0; i < target.size(); ++i) {
        const T value = load_little_endian<T>(source + i * sizeof(T));
        if (!std::in_range<Target>(value) || (dtype == tensor_dtype::boolean && value > T{1})) {
          misfit = i;
          return true;
        }
        target[i] = static_cast<Target>(value);
      }
    }
    return true;
  });
  return misfit;
}

}  // namespace luq::detail

#ifndef LUQ_COMPILED
#include "luq/io/tensors/impl/tensor_conversion.hpp"
#endif
