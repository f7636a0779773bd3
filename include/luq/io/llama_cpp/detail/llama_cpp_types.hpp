// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The type of ggml that stands for a codec.
//
// IWYU pragma: private, include "luq/io/llama_cpp/llama_cpp_export.hpp"
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "luq/codecs/any_codec.hpp"

namespace luq::detail {

/// The type for a codec, in lower case, or nothing.
/// @param types  llama_cpp_types of llama_cpp_export.hpp
[[nodiscard]] std::optional<std::string> llama_cpp_type(const any_codec& codec,
                                                        const std::map<std::string, std::string, std::less<>>& types);

}  // namespace luq::detail

#ifndef LUQ_COMPILED
#include "luq/io/llama_cpp/impl/llama_cpp_types.hpp"
#endif
