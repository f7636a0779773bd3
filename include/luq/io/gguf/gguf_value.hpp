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

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

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

namespace detail {

template <class T, class Variant>
struct alternative_position;
template <class T, class... Alternative>
struct alternative_position<T, std::variant<Alternative...>> {
  static constexpr std::size_t value = [] {
    std::size_t position = 0;
    static_cast<void>(((std::is_same_v<T, Alternative> || (++position, false)) || ...));
    return position;  // the number of alternatives if T is none of them
  }();
};

/// Whether T is one of the alternatives of a variant.
template <class T, class Variant>
inline constexpr bool is_alternative = alternative_position<T, Variant>::value < std::variant_size_v<Variant>;

}  // namespace detail

/// The type of a plain C++ type, or of gguf_array.
template <class T>
[[nodiscard]] constexpr gguf_type gguf_type_of() noexcept {
  static_assert(detail::is_alternative<T, gguf_value>);
  return static_cast<gguf_type>(detail::alternative_position<T, gguf_value>::value);
}
static_assert(gguf_type_of<bool>() == gguf_type::boolean && gguf_type_of<gguf_array>() == gguf_type::array &&
              gguf_type_of<double>() == gguf_type::f64);

/// "u32", for messages; "type 13" for a number that is no type.
[[nodiscard]] inline std::string gguf_type_name(gguf_type type) {
  constexpr std::array<std::string_view, 13> names{"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                                   "bool", "string", "array", "u64", "i64", "f64"};
  const auto number = static_cast<std::int32_t>(type);
  if (number < 0 || static_cast<std::size_t>(number) >= names.size()) return "type " + std::to_string(number);
  return std::string(names[static_cast<std::size_t>(number)]);
}

/// "u32", or "array of u32".
[[nodiscard]] inline std::string gguf_type_name(const gguf_value& value) {
  const auto* const elements = std::get_if<gguf_array>(&value);
  if (elements == nullptr) return gguf_type_name(static_cast<gguf_type>(value.index()));
  return "array of " +
         std::visit([]<class T>(const std::vector<T>&) { return gguf_type_name(gguf_type_of<T>()); }, *elements);
}

namespace detail {

/// Calls visit(T{}) with the C++ type of a plain type. False, and no call, for arrays and numbers that are no type.
template <class Visitor>
bool visit_gguf_type(gguf_type type, Visitor&& visit) {
  switch (type) {
    case gguf_type::u8:
      return visit(std::uint8_t{}), true;
    case gguf_type::i8:
      return visit(std::int8_t{}), true;
    case gguf_type::u16:
      return visit(std::uint16_t{}), true;
    case gguf_type::i16:
      return visit(std::int16_t{}), true;
    case gguf_type::u32:
      return visit(std::uint32_t{}), true;
    case gguf_type::i32:
      return visit(std::int32_t{}), true;
    case gguf_type::f32:
      return visit(float{}), true;
    case gguf_type::boolean:
      return visit(bool{}), true;
    case gguf_type::string:
      return visit(std::string{}), true;
    case gguf_type::u64:
      return visit(std::uint64_t{}), true;
    case gguf_type::i64:
      return visit(std::int64_t{}), true;
    case gguf_type::f64:
      return visit(double{}), true;
    case gguf_type::array:
      return false;
  }
  return false;
}

}  // namespace detail
}  // namespace luq
