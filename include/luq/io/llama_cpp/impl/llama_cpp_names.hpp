// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/llama_cpp/detail/llama_cpp_names.hpp.
//
// IWYU pragma: private, include "luq/io/llama_cpp/detail/llama_cpp_names.hpp"
#pragma once

#include "luq/io/llama_cpp/detail/llama_cpp_names.hpp"

#include <variant>

#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/io/files/detail/printable.hpp"
#include "luq/io/gguf/ggml_type.hpp"
#include "luq/io/llama_cpp/llama_cpp_export.hpp"

namespace luq::detail {

LUQ_INLINE std::string gguf_weight_name(std::string_view module) {
  const auto name = gguf_module_name(module);
  if (!name) {
    fail(errc::unsupported, "llama.cpp export: no name is known for ", in_quotes(module),
         ", expected a linear layer such as model.layers.7.mlp.down_proj");
  }
  return *name + ".weight";
}

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
