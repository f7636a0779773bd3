// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What a safetensors file says about one tensor: its name, element type, shape and place. Tensors are row-major and
// little-endian; shape {} is a scalar and a 0 in the shape makes an empty tensor.
//
// The element types are those of the reference implementation (safetensors 0.8). That list grows: a file may name a
// type unknown here, which makes that tensor unreadable (`tensor_dtype::unknown`) but not the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "luq/core/half.hpp"
#include "luq/core/index.hpp"
#include "luq/io/tensors/detail/dtype_table.hpp"

namespace luq {

/// Element type. The order is the format's own, of ascending alignment: writers place tensors by it, last first.
enum class tensor_dtype : std::uint8_t {
  boolean,  ///< one byte, 0 or 1
  f4,
  f6_e2m3,
  f6_e3m2,
  u8,
  i8,
  f8_e5m2,
  f8_e4m3,
  f8_e8m0,
  f8_e4m3fnuz,
  f8_e5m2fnuz,
  i16,
  u16,
  f16,
  bf16,
  i32,
  u32,
  f32,
  c64,  ///< two floats, real part first
  f64,
  i64,
  u64,
  unknown,  ///< a name this version does not know; never written
};

static_assert(detail::dtype_table.size() == static_cast<std::size_t>(tensor_dtype::unknown));

/// The name files use, such as "BF16"; "unknown" for tensor_dtype::unknown.
[[nodiscard]] constexpr std::string_view dtype_name(tensor_dtype dtype) noexcept {
  return dtype == tensor_dtype::unknown ? "unknown" : detail::dtype_table[static_cast<std::size_t>(dtype)].name;
}

/// Bits of one element; 0 for tensor_dtype::unknown.
[[nodiscard]] constexpr std::uint64_t dtype_bits(tensor_dtype dtype) noexcept {
  return dtype == tensor_dtype::unknown ? 0 : detail::dtype_table[static_cast<std::size_t>(dtype)].bits;
}

/// The element type of a name in a file; names are case-sensitive.
[[nodiscard]] constexpr tensor_dtype parse_dtype(std::string_view name) noexcept {
  for (std::size_t i = 0; i < detail::dtype_table.size(); ++i) {
    if (detail::dtype_table[i].name == name) return static_cast<tensor_dtype>(i);
  }
  return tensor_dtype::unknown;
}

/// The element type that stores T without conversion; tensor_dtype::unknown where there is none.
template <class T>
[[nodiscard]] constexpr tensor_dtype dtype_of() noexcept {
  using enum tensor_dtype;
  if constexpr (std::is_same_v<T, bool>) return boolean;
  if constexpr (std::is_same_v<T, half>) return f16;
  if constexpr (std::is_same_v<T, bfloat16>) return bf16;
  if constexpr (std::is_same_v<T, float>) return f32;
  if constexpr (std::is_same_v<T, double>) return f64;
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    constexpr bool is_signed = std::is_signed_v<T>;
    if constexpr (sizeof(T) == 1) return is_signed ? i8 : u8;
    if constexpr (sizeof(T) == 2) return is_signed ? i16 : u16;
    if constexpr (sizeof(T) == 4) return is_signed ? i32 : u32;
    if constexpr (sizeof(T) == 8) return is_signed ? i64 : u64;
  }
  return unknown;
}

/// One entry of a header.
struct tensor_info {
  std::string name;
  tensor_dtype dtype = tensor_dtype::unknown;
  std::string dtype_label;   ///< the element type as the file spells it
  std::vector<index> shape;  ///< extents, slowest first
  std::uint64_t begin = 0;   ///< first byte, counted from the end of the header
  std::uint64_t end = 0;     ///< one past the last byte

  /// Number of elements, the product of the shape.
  [[nodiscard]] index size() const noexcept {
    index product = 1;
    for (const index extent : shape) product *= extent;
    return product;
  }

  [[nodiscard]] std::uint64_t bytes() const noexcept { return end - begin; }
};

/// "[2, 3]" for messages.
[[nodiscard]] std::string shape_text(const std::vector<index>& shape);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/io/tensors/impl/tensor_info.hpp"
#endif
