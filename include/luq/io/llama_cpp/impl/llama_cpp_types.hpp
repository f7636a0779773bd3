// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/llama_cpp/detail/llama_cpp_types.hpp.
//
// IWYU pragma: private, include "luq/io/llama_cpp/detail/llama_cpp_types.hpp"
#pragma once

#include "luq/io/llama_cpp/detail/llama_cpp_types.hpp"

#include <variant>

#include "luq/core/compiled.hpp"
#include "luq/io/gguf/ggml_type.hpp"

namespace luq::detail {

LUQ_INLINE std::optional<std::string> llama_cpp_type(const any_codec& codec,
                                                     const std::map<std::string, std::string, std::less<>>& types) {
  if (const auto given = types.find(codec_name(codec)); given != types.end()) {
    const auto known = parse_ggml_type(given->second);
    return known ? ggml_type_name(*known) : given->second;
  }
  if (codec == any_codec(sign_codec{.group = 128})) return "q1_0";
  const auto* const int4 = std::get_if<int_codec<4>>(&codec);
  if (int4 != nullptr && int4->symmetric) return "q4_0";
  return std::nullopt;
}

}  // namespace luq::detail
