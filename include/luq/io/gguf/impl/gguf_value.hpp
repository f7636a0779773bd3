// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/gguf/gguf_value.hpp.
//
// IWYU pragma: private, include "luq/io/gguf/gguf_value.hpp"
#pragma once

#include "luq/io/gguf/gguf_value.hpp"

#include <array>
#include <cstddef>
#include <string_view>

#include "luq/core/compiled.hpp"

namespace luq {

LUQ_INLINE std::string gguf_type_name(gguf_type type) {
  constexpr std::array<std::string_view, 13> names{"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                                   "bool", "string", "array", "u64", "i64", "f64"};
  const auto number = static_cast<std::int32_t>(type);
  if (number < 0 || static_cast<std::size_t>(number) >= names.size()) return "type " + std::to_string(number);
  return std::string(names[static_cast<std::size_t>(number)]);
}

LUQ_INLINE std::string gguf_type_name(const gguf_value& value) {
  const auto* const elements = std::get_if<gguf_array>(&value);
  if (elements == nullptr) return gguf_type_name(static_cast<gguf_type>(value.index()));
  return "array of " +
         std::visit([]<class T>(const std::vector<T>&) { return gguf_type_name(gguf_type_of<T>()); }, *elements);
}

}  // namespace luq
