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
#include "luq/io/llama_cpp/detail/llama_cpp_names.hpp"

namespace luq {

LUQ_INLINE std::optional<std::string> gguf_module_name(std::string_view module) {
  using renaming = std::pair<std::string_view, std::string_view>;
  constexpr std::array<std::string_view, 3> prefixes{"language_model.model.", "model.language_model.", "model."};
  constexpr std::array<renaming, 9> of_layer{{{"input_layernorm", "attn_norm"},
                                              {"self_attn.q_proj", "attn_q"},
                                              {"self_attn.k_proj", "attn_k"},
                                              {"self_attn.v_proj", "attn_v"},
                                              {"self_attn.o_proj", "attn_output"},
                                              {"post_attention_layernorm", "ffn_norm"},
                                              {"mlp.gate_proj", "ffn_gate"},
                                              {"mlp.up_proj", "ffn_up"},
                                              {"mlp.down_proj", "ffn_down"}}};
  if (module == "lm_head" || module == "language_model.lm_head") return "output";
  const auto prefix = std::find_if(prefixes.begin(), prefixes.end(),
                                   [&](std::string_view candidate) { return module.starts_with(candidate); });
  if (prefix == prefixes.end()) return std::nullopt;
  module.remove_prefix(prefix->size());
  if (module == "embed_tokens") return "token_embd";
  if (module == "norm") return "output_norm";
  constexpr std::string_view layers = "layers.";
  if (!module.starts_with(layers)) return std::nullopt;
  module.remove_prefix(layers.size());
  const std::string_view number = module.substr(0, module.find('.'));
  const bool is_number =
      !number.empty() && std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!is_number || (number.size() > 1 && number.front() == '0') || number.size() == module.size()) return std::nullopt;
  module.remove_prefix(number.size() + 1);
  for (const auto& [name, gguf_name] : of_layer) {
    if (module == name) return "blk." + std::string(number) + "." + std::string(gguf_name);
  }
  return std::nullopt;
}

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
  for (const any_codec& codec : p.codecs) {
    if (!detail::llama_cpp_type(codec, types)) without_type.insert(codec_name(codec));
  }
  if (!without_type.empty()) {
    std::string names;
    for (const std::string& name : without_type) names += (names.empty() ? "" : ", ") + name;
    fail(errc::invalid_argument, "llama.cpp export: no ggml type is given for ", names);
  }
  std::vector<llama_cpp_choice> result;
  std::set<std::string> tensors;
  for (std::size_t layer = 0; layer < p.shape.size(); ++layer) {
    const std::string type = *detail::llama_cpp_type(p.codecs[layer], types);
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
