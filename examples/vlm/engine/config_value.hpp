// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Values that several sections of a config.json share: limits far above every published model, and low enough that
// products of two sizes cannot overflow; names of activations; keys with two names; sizes that must divide one another.
#pragma once

#include <cstdint>
#include <limits>
#include <luq/core/index.hpp>
#include <string_view>

#include "activation.hpp"
#include "json_section.hpp"

namespace vlm {

inline constexpr luq::index largest_size = luq::index{1} << 24;
inline constexpr luq::index most_layers = 4096;
inline constexpr luq::index largest_id = std::numeric_limits<std::int32_t>::max();

[[nodiscard]] activation read_activation(const json_section& json, const char* key, std::string_view fallback);

/// The integer of a key that transformers knows by two names. In a file with both it lets the second overrule the first
/// without a word; here they must agree.
/// @throws luq::error corrupt_file if they do not, or as json_section::integer()
[[nodiscard]] luq::index read_named_twice(const json_section& json, const char* name, const char* other_name,
                                          luq::index fallback, luq::index least, luq::index most);

/// @param by  names the divisor in messages
/// @throws luq::error corrupt_file unless `divisor` divides `value`, which is that of `key`
void require_divisible(const json_section& json, const char* key, luq::index value, const char* by, luq::index divisor);

}  // namespace vlm
