// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What llama.cpp must be told of a decoder before it runs one: sizes, rotary embedding and the epsilon of norms, as
// metadata of a GGUF file. Three architectures are known:
//
//   llama     LLaMA, and the decoder of LLaVA; query and key rows in pairs of neighbours (detail/rotary_rows.hpp)
//   qwen2     Qwen2; rows as in Hugging Face's checkpoints
//   qwen2vl   the decoder of Qwen2-VL and Qwen2.5-VL: qwen2 with a rotary embedding of several positions
//
// Keys and their meaning are those of llama.cpp (src/llama-arch.cpp, src/llama-model.cpp), and the values those that
// its converter gives. The tokenizer is "no_vocab": such a model takes ids of tokens, not text.
//
// Not known: rotary embeddings stretched otherwise than by one factor (llama3, yarn, longrope), which need tensors or
// keys of their own. Files of the converter have them (write_llama_cpp_model_like() of llama_cpp_model.hpp).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "luq/core/error.hpp"
#include "luq/core/index.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/io/gguf/gguf_value.hpp"

namespace luq {

/// The decoders that are known.
enum class llama_cpp_architecture { llama, qwen2, qwen2vl };

namespace detail {

inline constexpr std::array<std::string_view, 3> llama_cpp_architecture_names{"llama", "qwen2", "qwen2vl"};

}  // namespace detail

/// The name in the key general.architecture, which begins the keys of sizes as well.
[[nodiscard]] constexpr std::string_view llama_cpp_architecture_name(llama_cpp_architecture architecture) noexcept {
  return detail::llama_cpp_architecture_names[static_cast<std::size_t>(architecture)];
}

/// The architecture of a name.
[[nodiscard]] constexpr std::optional<llama_cpp_architecture> parse_llama_cpp_architecture(
    std::string_view name) noexcept {
  for (std::size_t i = 0; i < detail::llama_cpp_architecture_names.size(); ++i) {
    if (detail::llama_cpp_architecture_names[i] == name) return static_cast<llama_cpp_architecture>(i);
  }
  return std::nullopt;
}

/// Whether rows of query and key projections stand in pairs of neighbours, not as in Hugging Face's checkpoints.
[[nodiscard]] constexpr bool has_rotary_neighbours(llama_cpp_architecture architecture) noexcept {
  return architecture == llama_cpp_architecture::llama;
}

/// A decoder; sizes in features, all >= 1.
struct llama_cpp_decoder {
  llama_cpp_architecture architecture = llama_cpp_architecture::llama;
  std::string name{};  ///< general.name, for the reader; empty for none
  index layers = 0;
  index hidden_size = 0;
  index intermediate_size = 0;
  index heads = 0;
  index key_value_heads = 0;  ///< divides heads
  index head_dim = 0;         ///< even
  index vocabulary = 0;
  index context_length = 0;  ///< positions the model was made for
  float rms_norm_epsilon = 0;
  float rotary_base = 10000;
  float rotary_factor = 1;                         ///< positions are divided by it
  std::vector<std::int32_t> rotary_sections = {};  ///< qwen2vl: pairs turned by time, height, width, and 0
  bool tied_head = false;  ///< the head multiplies by the table of embeddings, if the checkpoint holds only one of them
};

namespace detail {

inline void require_size(const char* what, index got, index least, index divisor = 1) {
  constexpr index most = 0x7fffffff;  // llama.cpp reads them as u32 and counts with them as int
  if (got >= least && got <= most && got % divisor == 0) return;
  fail(errc::invalid_argument, "llama.cpp decoder: ", what, ": expected ", least, " ... ", most,
       divisor == 1 ? "" : ", a multiple of " + std::to_string(divisor), ", got ", got);
}

}  // namespace detail

/// Checks what llama.cpp and the functions here rely on.
/// @throws luq::error invalid_argument
inline void require_valid(const llama_cpp_decoder& d) {
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

/// Keys and values of a GGUF file, but for those that depend on the types of its tensors.
/// @throws luq::error as require_valid()
[[nodiscard]] inline std::vector<gguf_entry> llama_cpp_decoder_metadata(const llama_cpp_decoder& d) {
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
