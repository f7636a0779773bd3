// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/models/tensor_place.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>

using luq::model_part;

TEST_CASE("parts follow from both generations of names") {
  const auto part = [](std::string_view name, std::size_t dimensions) {
    const auto place = luq::find_tensor_place(name, dimensions);
    return place ? std::optional(place->part) : std::nullopt;
  };
  for (const char* prefix : {"language_model.model.", "model.language_model.", "model."}) {
    const std::string decoder(prefix);
    CHECK(part(decoder + "layers.0.self_attn.q_proj.weight", 2) == model_part::decoder_linear);
    CHECK(part(decoder + "layers.0.self_attn.q_proj.bias", 1) == model_part::decoder_vector);
    CHECK(part(decoder + "layers.0.input_layernorm.weight", 1) == model_part::decoder_vector);
    CHECK(part(decoder + "norm.weight", 1) == model_part::decoder_vector);
    CHECK(part(decoder + "embed_tokens.weight", 2) == model_part::embedding);
  }
  for (const char* prefix : {"", "model."}) {
    const std::string outer(prefix);
    CHECK(part(outer + "vision_tower.vision_model.encoder.layers.3.self_attn.q_proj.weight", 2) == model_part::vision);
    CHECK(part(outer + "visual.blocks.3.attn.qkv.weight", 2) == model_part::vision);
    CHECK(part(outer + "visual.merger.mlp.0.weight", 2) == model_part::projector);
    CHECK(part(outer + "multi_modal_projector.linear_1.bias", 1) == model_part::projector);
  }
  CHECK(part("lm_head.weight", 2) == model_part::head);
  CHECK(part("language_model.lm_head.weight", 2) == model_part::head);
}

TEST_CASE("names and layers of the decoder are those of plans") {
  for (const char* prefix : {"language_model.model.", "model.language_model.", "model."}) {
    const auto place = luq::find_tensor_place(std::string(prefix) + "layers.12.mlp.up_proj.weight", 2);
    REQUIRE(place);
    CHECK(place->layer == 12);
    CHECK(place->name == "model.layers.12.mlp.up_proj.weight");
  }
  CHECK(!luq::find_tensor_place("model.norm.weight", 1)->layer);
}
