// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/llama_cpp/llama_cpp_decoder.hpp.
//
// IWYU pragma: private, include "luq/io/llama_cpp/llama_cpp_decoder.hpp"
#pragma once

#include "luq/io/llama_cpp/llama_cpp_decoder.hpp"

#include <utility>

#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/core/is_finite.hpp"

namespace luq {

namespace detail {

inline void require_size(const char* what, index got, index least, index divisor = 1) {
  constexpr index most = 0x7fffffff;  // llama.cpp reads them as u32 and counts with them as int
  if (got >= least && got <= most && got % divisor == 0) return;
  fail(errc::invalid_argument, "llama.cpp decoder: ", what, ": expected ", least, " ... ", most,
       divisor == 1 ? "" : ", a multiple of " + std::to_string(divisor), ", got ", got);
}

}  // namespace detail

LUQ_INLINE void require_valid(const llama_cpp_decoder& d) {
  detail::require_size("layers", d.layers, 1);
  detail::require_size("hidden size", d.hidden_size, 1);
  detail::require_size("intermediate size", d.intermediate_size, 1);
  detail::require_size("key and value heads", d.key_value_heads, 1);
  detail::require_size("heads", d.heads, 1, d.key_value_heads);
  detail::require_size("features of a head", d.head_dim, 2, 2);
  detail::require_size("vocabulary", d.vocabulary, 1);
  detail::require_size("context length", d.context_length, 1);
  const auto is_positive = [](const float& x) { return is_finite(x) && x > 0; };
  if (!is_positive(d.rms_norm_epsilon) || !is_positive(d.rotary_base) || !is_positive(d.rotary_factor)) {
    fail(errc::invalid_argument, "llama.cpp decoder: expected a positive epsilon, rotary base and rotary factor, got ",
         d.rms_norm_epsilon, ", ", d.rotary_base, " and ", d.rotary_factor);
  }
  if (d.architecture != llama_cpp_architecture::llama && d.heads * d.head_dim != d.hidden_size) {
    fail(errc::invalid_argument, "llama.cpp decoder: ", llama_cpp_architecture_name(d.architecture), ": expected ",
         d.hidden_size, " features in all heads, the hidden size, got ", d.heads, " heads of ", d.head_dim);
  }
  const bool has_sections = d.architecture == llama_cpp_architecture::qwen2vl;
  if (d.rotary_sections.size() != (has_sections ? 4 : 0)) {
    fail(errc::invalid_argument, "llama.cpp decoder: rotary sections: expected ", has_sections ? 4 : 0, " for ",
         llama_cpp_architecture_name(d.architecture), ", got ", d.rotary_sections.size());
  }
}

LUQ_INLINE std::vector<gguf_entry> llama_cpp_decoder_metadata(const llama_cpp_decoder& d) {
  require_valid(d);
  const std::string prefix = std::string(llama_cpp_architecture_name(d.architecture)) + ".";
  const auto number = [](index value) { return static_cast<std::uint32_t>(value); };
  std::vector<gguf_entry> entries{{"general.architecture", std::string(llama_cpp_architecture_name(d.architecture))},
                                  {"general.type", std::string("model")}};
  if (!d.name.empty()) entries.push_back({"general.name", d.name});
  const auto add = [&](const char* key, gguf_value value) { entries.push_back({prefix + key, std::move(value)}); };
  add("block_count", number(d.layers));
  add("context_length", number(d.context_length));
  add("embedding_length", number(d.hidden_size));
  add("feed_forward_length", number(d.intermediate_size));
  add("attention.head_count", number(d.heads));
  add("attention.head_count_kv", number(d.key_value_heads));
  add("attention.key_length", number(d.head_dim));
  add("attention.value_length", number(d.head_dim));
  add("attention.layer_norm_rms_epsilon", d.rms_norm_epsilon);
  add("rope.freq_base", d.rotary_base);
  add("rope.dimension_count", number(d.head_dim));
  if (!d.rotary_sections.empty()) add("rope.dimension_sections", gguf_array(d.rotary_sections));
  if (d.rotary_factor != 1) {
    add("rope.scaling.type", std::string("linear"));
    add("rope.scaling.factor", d.rotary_factor);
  }
  add("vocab_size", number(d.vocabulary));
  entries.push_back({"tokenizer.ggml.model", std::string("no_vocab")});
  return entries;
}

}  // namespace luq
