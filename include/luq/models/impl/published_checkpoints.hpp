// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "luq/models/published_checkpoints.hpp"

namespace luq {
namespace detail {

inline constexpr std::array<tensor_family, 39> llava_7b_tensors{{
    {"language_model.model.embed_tokens.weight", 1, {32064, 4096}},
    {"language_model.model.layers.#.self_attn.q_proj.weight", 32, {4096, 4096}},
    {"language_model.model.layers.#.self_attn.k_proj.weight", 32, {4096, 4096}},
    {"language_model.model.layers.#.self_attn.v_proj.weight", 32, {4096, 4096}},
    {"language_model.model.layers.#.self_attn.o_proj.weight", 32, {4096, 4096}},
    {"language_model.model.layers.#.mlp.gate_proj.weight", 32, {11008, 4096}},
    {"language_model.model.layers.#.mlp.up_proj.weight", 32, {11008, 4096}},
    {"language_model.model.layers.#.mlp.down_proj.weight", 32, {4096, 11008}},
    {"language_model.model.layers.#.input_layernorm.weight", 32, {4096}},
    {"language_model.model.layers.#.post_attention_layernorm.weight", 32, {4096}},
    {"language_model.model.norm.weight", 1, {4096}},
    {"language_model.lm_head.weight", 1, {32064, 4096}},
    {"multi_modal_projector.linear_1.weight", 1, {4096, 1024}},
    {"multi_modal_projector.linear_1.bias", 1, {4096}},
    {"multi_modal_projector.linear_2.weight", 1, {4096, 4096}},
    {"multi_modal_projector.linear_2.bias", 1, {4096}},
    {"vision_tower.vision_model.embeddings.class_embedding", 1, {1024}},
    {"vision_tower.vision_model.embeddings.patch_embedding.weight", 1, {1024, 3, 14, 14}},
    {"vision_tower.vision_model.embeddings.position_embedding.weight", 1, {577, 1024}},
    {"vision_tower.vision_model.pre_layrnorm.weight", 1, {1024}},  // so spelled
    {"vision_tower.vision_model.pre_layrnorm.bias", 1, {1024}},
    {"vision_tower.vision_model.post_layernorm.weight", 1, {1024}},
    {"vision_tower.vision_model.post_layernorm.bias", 1, {1024}},
    {"vision_tower.vision_model.encoder.layers.#.self_attn.q_proj.weight", 24, {1024, 1024}},
    {"vision_tower.vision_model.encoder.layers.#.self_attn.q_proj.bias", 24, {1024}},
    {"vision_tower.vision_model.encoder.layers.#.self_attn.k_proj.weight", 24, {1024, 1024}},
    {"vision_tower.vision_model.encoder.layers.#.self_attn.k_proj.bias", 24, {1024}},
    {"vision_tower.vision_model.encoder.layers.#.self_attn.v_proj.weight", 24, {1024, 1024}},
    {"vision_tower.vision_model.encoder.layers.#.self_attn.v_proj.bias", 24, {1024}},
    {"vision_tower.vision_model.encoder.layers.#.self_attn.out_proj.weight", 24, {1024, 1024}},
    {"vision_tower.vision_model.encoder.layers.#.self_attn.out_proj.bias", 24, {1024}},
    {"vision_tower.vision_model.encoder.layers.#.mlp.fc1.weight", 24, {4096, 1024}},
    {"vision_tower.vision_model.encoder.layers.#.mlp.fc1.bias", 24, {4096}},
    {"vision_tower.vision_model.encoder.layers.#.mlp.fc2.weight", 24, {1024, 4096}},
    {"vision_tower.vision_model.encoder.layers.#.mlp.fc2.bias", 24, {1024}},
    {"vision_tower.vision_model.encoder.layers.#.layer_norm1.weight", 24, {1024}},
    {"vision_tower.vision_model.encoder.layers.#.layer_norm1.bias", 24, {1024}},
    {"vision_tower.vision_model.encoder.layers.#.layer_norm2.weight", 24, {1024}},
    {"vision_tower.vision_model.encoder.layers.#.layer_norm2.bias", 24, {1024}},
}};

inline constexpr std::array<tensor_family, 33> qwen_7b_tensors{{
    {"model.embed_tokens.weight", 1, {152064, 3584}},
    {"model.layers.#.self_attn.q_proj.weight", 28, {3584, 3584}},
    {"model.layers.#.self_attn.q_proj.bias", 28, {3584}},
    {"model.layers.#.self_attn.k_proj.weight", 28, {512, 3584}},
    {"model.layers.#.self_attn.k_proj.bias", 28, {512}},
    {"model.layers.#.self_attn.v_proj.weight", 28, {512, 3584}},
    {"model.layers.#.self_attn.v_proj.bias", 28, {512}},
    {"model.layers.#.self_attn.o_proj.weight", 28, {3584, 3584}},
    {"model.layers.#.mlp.gate_proj.weight", 28, {18944, 3584}},
    {"model.layers.#.mlp.up_proj.weight", 28, {18944, 3584}},
    {"model.layers.#.mlp.down_proj.weight", 28, {3584, 18944}},
    {"model.layers.#.input_layernorm.weight", 28, {3584}},
    {"model.layers.#.post_attention_layernorm.weight", 28, {3584}},
    {"model.norm.weight", 1, {3584}},
    {"lm_head.weight", 1, {152064, 3584}},
    {"visual.patch_embed.proj.weight", 1, {1280, 3, 2, 14, 14}},
    {"visual.blocks.#.norm1.weight", 32, {1280}},
    {"visual.blocks.#.norm2.weight", 32, {1280}},
    {"visual.blocks.#.attn.qkv.weight", 32, {3840, 1280}},
    {"visual.blocks.#.attn.qkv.bias", 32, {3840}},
    {"visual.blocks.#.attn.proj.weight", 32, {1280, 1280}},
    {"visual.blocks.#.attn.proj.bias", 32, {1280}},
    {"visual.blocks.#.mlp.gate_proj.weight", 32, {3420, 1280}},
    {"visual.blocks.#.mlp.gate_proj.bias", 32, {3420}},
    {"visual.blocks.#.mlp.up_proj.weight", 32, {3420, 1280}},
    {"visual.blocks.#.mlp.up_proj.bias", 32, {3420}},
    {"visual.blocks.#.mlp.down_proj.weight", 32, {1280, 3420}},
    {"visual.blocks.#.mlp.down_proj.bias", 32, {1280}},
    {"visual.merger.ln_q.weight", 1, {1280}},
    {"visual.merger.mlp.0.weight", 1, {5120, 5120}},
    {"visual.merger.mlp.0.bias", 1, {5120}},
    {"visual.merger.mlp.2.weight", 1, {3584, 5120}},
    {"visual.merger.mlp.2.bias", 1, {3584}},
}};

inline constexpr std::array<published_checkpoint, 2> known_checkpoints{{
    {"llava-1.5-7b", "llava-hf/llava-1.5-7b-hf", llava_7b_tensors, 16, 0.40},
    {"qwen2.5-vl-7b", "Qwen/Qwen2.5-VL-7B-Instruct", qwen_7b_tensors, 12, 0.31},
}};

}  // namespace detail

LUQ_INLINE std::span<const published_checkpoint> published_checkpoints() noexcept {
  return detail::known_checkpoints;
}

LUQ_INLINE const published_checkpoint* find_published_checkpoint(std::string_view name) noexcept {
  for (const published_checkpoint& known : published_checkpoints()) {
    if (known.name == name) return &known;
  }
  return nullptr;
}

}  // namespace luq
