// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Metadata of GGUF files: keys with values of 12 plain types, or arrays of one of these. In a file a value is
//
//   | i32 type | value |        | i32 9 | i32 element type | u64 n | n elements |
//
// with numbers little-endian, a bool one byte, of which 0 is false and any other true (1 is written), and a string
// | u64 length | bytes |. An array keeps its element type when it is empty. Arrays of arrays, which the format's text
// allows and ggml refuses, have no form here.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "luq/io/gguf/detail/alternatives.hpp"

namespace luq {

/// Type of a value, by its number in files.
enum class gguf_type : std::int32_t {
  u8 = 0,
  i8 = 1,
  u16 = 2,
  i16 = 3,
  u32 = 4,
  i32 = 5,
  f32 = 6,
  boolean = 7,
  string = 8,
  array = 9,
  u64 = 10,
  i64 = 11,
  f64 = 12,
};

/// An array of any plain type.
using gguf_array = std::variant<std::vector<std::uint8_t>, std::vector<std::int8_t>, std::vector<std::uint16_t>,
                                std::vector<std::int16_t>, std::vector<std::uint32_t>, std::vector<std::int32_t>,
                                std::vector<float>, std::vector<bool>, std::vector<std::string>,
                                std::vector<std::uint64_t>, std::vector<std::int64_t>, std::vector<double>>;

/// A value of any type; index() is its gguf_type.
using gguf_value = std::variant<std::uint8_t, std::int8_t, std::uint16_t, std::int16_t, std::uint32_t, std::int32_t,
                                float, bool, std::string, gguf_array, std::uint64_t, std::int64_t, double>;

/// One key and its value.
struct gguf_entry {
  std::string key;  ///< 1 to 2^30 bytes, none of them 0; by custom lower-case ASCII in parts joined by dots
  gguf_value value;
};

/// The type of a plain C++ type, or of gguf_array.
template <class T>
[[nodiscard]] constexpr gguf_type gguf_type_of() noexcept {
  static_assert(detail::is_alternative<T, gguf_value>);
  return static_cast<gguf_type>(detail::alternative_position<T, gguf_value>::value);
}

static_assert(gguf_type_of<bool>() == gguf_type::boolean && gguf_type_of<gguf_array>() == gguf_type::array &&
              gguf_type_of<double>() == gguf_type::f64);

/// "u32", for messages; "type 13" for a number that is no type.
[[nodiscard]] std::string gguf_type_name(gguf_type type);

/// "u32", or "array of u32".
[[nodiscard]] std::string gguf_type_name(const gguf_value& value);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/io/gguf/impl/gguf_value.hpp"
#endif
