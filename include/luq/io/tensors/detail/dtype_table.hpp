// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The element types by their place in tensor_dtype.
//
// IWYU pragma: private, include "luq/io/tensors/tensor_info.hpp"
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace luq::detail {

/// What is known of an element type.
struct dtype_facts {
  std::string_view name;
  std::uint64_t bits;
};

/// Indexed by tensor_dtype.
inline constexpr std::array<dtype_facts, 22> dtype_table{{
    {"BOOL", 8},    {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6},     {"U8", 8},          {"I8", 8},
    {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"I16", 16},
    {"U16", 16},    {"F16", 16},    {"BF16", 16},   {"I32", 32},        {"U32", 32},        {"F32", 32},
    {"C64", 64},    {"F64", 64},    {"I64", 64},    {"U64", 64},
}};

}  // namespace luq::detail
