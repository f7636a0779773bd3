// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/llama_cpp/llama_cpp_export.hpp.
//
// IWYU pragma: private, include "luq/io/llama_cpp/llama_cpp_export.hpp"
#pragma once

#include "luq/io/llama_cpp/llama_cpp_export.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <set>
#include <utility>

#include "luq/codecs/any_codec.hpp"
#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/io/files/detail/printable.hpp"
#include "luq/io/gguf/ggml_type.hpp"
#include "luq/io/llama_cpp/detail/gguf_weight_name.hpp"
#include "luq/io/llama_cpp/detail/llama_cpp_types.hpp"

namespace luq {

namespace detail {

/// llama-quantize gives up on rows of broken blocks, or takes another type without being asked.
inline void require_whole_blocks(const linear_shape& linear, std::string_view type) {
  const auto known = parse_ggml_type(type);
  if (!known) return;  // of a fork
  const auto block = static_cast<index>(facts_of(*known)->block_weights);
  if (linear.cols % block != 0) {
    fail(errc::unsupported, "llama.cpp export: linear ", in_quotes(linear.name), ": ", linear.cols,
         " columns are not a multiple of ", block, ", the block of ", type);
  }
}

/// "^blk\.7\.ffn_down\.weight$", which matches that name alone.
[[nodiscard]] inline std::string anchored_pattern(std::string_view tensor) {
  std::string pattern = "^";
  for (const char character : tensor) {
    if (character == '.') pattern += '\\';
    pattern += character;
  }
  return pattern + "$";
}

}  // namespace detail

LUQ_INLINE std::vector<llama_cpp_choice> llama_cpp_choices(const plan& p, const llama_cpp_types& types) {
  require_consistent(p);
  std::set<std::string> without_type;
  for (const recipe& how : p.recipes) {
    if (!detail::llama_cpp_type(how.codec, types)) without_type.insert(codec_name(how.codec));
  }
  if (!without_type.empty()) {
    std::string names;
    for (const std::string& name : without_type) names += (names.empty() ? "" : ", ") + name;
    fail(errc::invalid_argument, "llama.cpp export: no ggml type is given for ", names);
  }
  std::vector<llama_cpp_choice> result;
  std::set<std::string> tensors;
  for (std::size_t layer = 0; layer < p.shape.size(); ++layer) {
    const std::string type = *detail::llama_cpp_type(p.recipes[layer].codec, types);
    for (const linear_shape& linear : p.shape[layer]) {
      detail::require_whole_blocks(linear, type);
      result.push_back({detail::gguf_weight_name(linear.name), type});
      if (!tensors.insert(result.back().tensor).second) {
        fail(errc::invalid_argument, "llama.cpp export: linear ", detail::in_quotes(linear.name),
             ": another one has the same name there, ", result.back().tensor);
      }
    }
  }
  return result;
}

LUQ_INLINE std::string llama_cpp_tensor_type_file(const plan& p, const llama_cpp_types& types) {
  std::string text;
  for (const llama_cpp_choice& choice : llama_cpp_choices(p, types)) {
    if (!parse_ggml_type(choice.type)) {
      fail(errc::invalid_argument, "llama.cpp export: ", detail::in_quotes(choice.type), " is no type of ggml");
    }
    text += detail::anchored_pattern(choice.tensor) + "=" + choice.type + "\n";
  }
  return text;
}

LUQ_INLINE std::string ik_llama_cpp_custom_q(const plan& p, const llama_cpp_types& types) {
  std::string text;
  for (const llama_cpp_choice& choice : llama_cpp_choices(p, types)) {
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyz0123456789_";
    if (choice.type.empty() || choice.type.find_first_not_of(allowed) != std::string::npos) {
      fail(errc::invalid_argument, "llama.cpp export: ", detail::in_quotes(choice.type), " is no name of a type");
    }
    if (!text.empty()) text += ',';
    text += detail::anchored_pattern(choice.tensor) + "=" + choice.type;
  }
  return text;
}

}  // namespace luq
