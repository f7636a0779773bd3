// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/llama_cpp/llama_cpp_names.hpp.
//
// IWYU pragma: private, include "luq/io/llama_cpp/llama_cpp_names.hpp"
#pragma once

#include "luq/io/llama_cpp/llama_cpp_names.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "luq/core/compiled.hpp"

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

}  // namespace luq
