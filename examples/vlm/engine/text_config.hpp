// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The shape of a decoder of LLaMA's kind, and its sections of config.json. Keys that a file omits take the defaults of
// transformers' LlamaConfig or Qwen2_5_VLTextConfig.
//
// A key that makes layers differ from one another (`per_layer_config`, `layer_types` with anything but full attention)
// is refused.
#pragma once

#include <luq/core/index.hpp>

#include "activation.hpp"
#include "json_section.hpp"
#include "rotary_embedding.hpp"

namespace vlm {

struct text_config {
  luq::index vocabulary = 32000;
  luq::index hidden_size = 4096;
  luq::index intermediate_size = 11008;
  luq::index layers = 32;
  luq::index heads = 32;
  luq::index key_value_heads = 32;  ///< divides heads
  luq::index head_dim = 128;        ///< even
  luq::index positions = 2048;      ///< that the decoder was trained with; the engine takes longer sequences, too
  activation hidden_activation = activation::silu;
  float rms_norm_epsilon = 1e-6f;
  bool query_key_value_bias = false;
  bool attention_output_bias = false;
  bool mlp_bias = false;  ///< of all three linears of the MLP
  rotary_config rotary{};

  friend bool operator==(const text_config&, const text_config&) = default;
};

/// Reads the section of a LLaMA decoder.
/// @throws luq::error corrupt_file if a value has the wrong kind, is out of range or contradicts another; unsupported
///   if the section describes another architecture
[[nodiscard]] text_config read_llama_config(const json_section& json);

/// As above, of the decoder of Qwen2.5-VL: Qwen2's, whose queries, keys and values have a bias and nothing else has,
/// with rotary sections, and with heads that are as wide as the hidden size in sum. The section may be the whole file,
/// as in published checkpoints.
[[nodiscard]] text_config read_qwen_text_config(const json_section& json);

}  // namespace vlm
