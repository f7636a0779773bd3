// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Alternatives of a variant by their types.
//
// IWYU pragma: private, include "luq/io/gguf/gguf_value.hpp"
#pragma once

#include <cstddef>
#include <type_traits>
#include <variant>

namespace luq::detail {

/// The place of T among the alternatives of a variant.
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

}  // namespace luq::detail
