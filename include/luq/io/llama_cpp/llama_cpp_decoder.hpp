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

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "luq/core/index.hpp"
#include "luq/io/gguf/gguf_value.hpp"

namespace luq {

/// The decoders that are known.
enum class llama_cpp_architecture { llama, qwen2, qwen2vl };

/// The name in the key general.architecture, which begins the keys of sizes as well.
[[nodiscard]] constexpr std::string_view llama_cpp_architecture_name(llama_cpp_architecture architecture) noexcept {
  switch (architecture) {
    case llama_cpp_architecture::llama:
      return "llama";
    case llama_cpp_architecture::qwen2:
      return "qwen2";
    case llama_cpp_architecture::qwen2vl:
      break;
  }
  return "qwen2vl";
}

/// The architecture of a name.
[[nodiscard]] constexpr std::optional<llama_cpp_architecture> parse_llama_cpp_architecture(
    std::string_view name) noexcept {
  using enum llama_cpp_architecture;
  for (const llama_cpp_architecture known : {llama, qwen2, qwen2vl}) {
    if (name == llama_cpp_architecture_name(known)) return known;
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

/// Checks what llama.cpp and the functions here rely on.
/// @throws luq::error invalid_argument
void require_valid(const llama_cpp_decoder& d);

/// Keys and values of a GGUF file, but for those that depend on the types of its tensors.
/// @throws luq::error as require_valid()
[[nodiscard]] std::vector<gguf_entry> llama_cpp_decoder_metadata(const llama_cpp_decoder& d);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/io/llama_cpp/impl/llama_cpp_decoder.hpp"
#endif
