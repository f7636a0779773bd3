// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The seven linears of a decoder layer, and the four activations that are their inputs: what a Hessian belongs to.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vlm {

enum class decoder_linear : std::uint8_t { query, key, value, attention_output, gate, up, down };

/// In the order of the computation.
inline constexpr std::array<decoder_linear, 7> decoder_linears{
    decoder_linear::query, decoder_linear::key, decoder_linear::value, decoder_linear::attention_output,
    decoder_linear::gate,  decoder_linear::up,  decoder_linear::down};

/// The activation that a linear multiplies. Linears with the same input share one Hessian.
enum class linear_input : std::uint8_t {
  attention,         ///< of query, key and value: the normalized residual stream, [tokens x hidden]
  attention_output,  ///< the heads side by side, [tokens x heads * head_dim]
  mlp,               ///< of gate and up: the normalized residual stream, [tokens x hidden]
  mlp_output,        ///< of down: silu(gate) * up, [tokens x intermediate]
};

inline constexpr std::array<linear_input, 4> linear_inputs{linear_input::attention, linear_input::attention_output,
                                                           linear_input::mlp, linear_input::mlp_output};

[[nodiscard]] constexpr linear_input input_of(decoder_linear linear) noexcept {
  constexpr std::array<linear_input, 7> inputs{
      linear_input::attention, linear_input::attention, linear_input::attention, linear_input::attention_output,
      linear_input::mlp,       linear_input::mlp,       linear_input::mlp_output};
  return inputs[static_cast<std::size_t>(linear)];
}

/// The name in checkpoints, within its layer and without ".weight".
[[nodiscard]] constexpr std::string_view tensor_name(decoder_linear linear) noexcept {
  constexpr std::array<std::string_view, 7> names{"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
                                                  "self_attn.o_proj", "mlp.gate_proj",    "mlp.up_proj",
                                                  "mlp.down_proj"};
  return names[static_cast<std::size_t>(linear)];
}

}  // namespace vlm
