// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/llama_cpp/llama_cpp_names.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace {

TEST_CASE("names of modules") {
  for (const std::string prefix : {"model.", "language_model.model.", "model.language_model."}) {
    CAPTURE(prefix);
    const auto check = [&](const std::string& module, const std::string& name) {
      CAPTURE(module);
      CHECK(luq::gguf_module_name(prefix + module) == name);
    };
    check("embed_tokens", "token_embd");
    check("norm", "output_norm");
    check("layers.0.input_layernorm", "blk.0.attn_norm");
    check("layers.1.self_attn.q_proj", "blk.1.attn_q");
    check("layers.9.self_attn.k_proj", "blk.9.attn_k");
    check("layers.10.self_attn.v_proj", "blk.10.attn_v");
    check("layers.31.self_attn.o_proj", "blk.31.attn_output");
    check("layers.100.post_attention_layernorm", "blk.100.ffn_norm");
    check("layers.2.mlp.gate_proj", "blk.2.ffn_gate");
    check("layers.3.mlp.up_proj", "blk.3.ffn_up");
    check("layers.4.mlp.down_proj", "blk.4.ffn_down");
  }
  CHECK(luq::gguf_module_name("lm_head") == "output");
  CHECK(luq::gguf_module_name("language_model.lm_head") == "output");
  for (const std::string_view other : {"",
                                       "model",
                                       "model.",
                                       "layers.0.mlp.up_proj",
                                       "model.layers",
                                       "model.layers.",
                                       "model.layers.0",
                                       "model.layers.0.",
                                       "model.layers.00.mlp.up_proj",
                                       "model.layers.01.mlp.up_proj",
                                       "model.layers..mlp.up_proj",
                                       "model.layers.-1.mlp.up_proj",
                                       "model.layers.1a.mlp.up_proj",
                                       "model.layers.0.mlp.up_proj.weight",
                                       "model.layers.0.mlp.fc1",
                                       "model.layers.0.mlp.up",
                                       "model.Layers.0.mlp.up_proj",
                                       "model.lm_head",
                                       "vision_tower.vision_model.encoder.layers.0.self_attn.q_proj",
                                       "visual.blocks.0.attn.qkv",
                                       "model.visual.blocks.0.mlp.up_proj",
                                       "model.vision_tower.vision_model.encoder.layers.0.mlp.fc1",
                                       "multi_modal_projector.linear_1",
                                       "language_model.layers.0.mlp.up_proj"}) {
    CAPTURE(other);
    CHECK_FALSE(luq::gguf_module_name(other).has_value());
  }
}

}  // namespace
