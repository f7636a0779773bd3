// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/policy/checkpoint_shape.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "io/io_test_support.hpp"

using luq::errc;
using luq::model_part;
using luq_test::check_fails;

namespace {

luq::checkpoint_tensor linear(luq::index layer, luq::index rows = 4, luq::index cols = 8) {
  return luq::make_checkpoint_tensor("model.layers." + std::to_string(layer) + ".mlp.up_proj.weight", {rows, cols});
}

}  // namespace

TEST_CASE("names without a place are errors") {
  for (const char* name :
       {"", "model", "model.", "model.layers", "model.layers.", "model.layers.3", "model.layers..up_proj.weight",
        "model.layers.x.mlp.up_proj.weight", "model.layers.-1.mlp.up_proj.weight", "model.layers.01.mlp.up_proj.weight",
        "model.layers.99999999999999999999.mlp.up_proj.weight", "model.layers.3.mlp.up_proj.lora_a",
        "model.layers.3.mlp.up.weight", "model.image_newline", "transformer.h.0.attn", "norm.weight",
        "layers.0.mlp.up_proj.weight", "language_model.layers.0.mlp.up_proj.weight", "language_model.lm_head"}) {
    CAPTURE(name);
    CHECK(!luq::find_tensor_place(name, 2));
    check_fails(errc::unsupported, "tensor \"" + std::string(name) + "\" of 2 dimensions",
                [&] { (void)luq::make_checkpoint_tensor(name, {2, 2}); });
  }
  CHECK(!luq::find_tensor_place("model.layers.3.mlp.up_proj.weight", 3));
}

TEST_CASE("which tensors are weight matrices") {
  CHECK(linear(0).is_weight_matrix());
  CHECK(luq::make_checkpoint_tensor("model.embed_tokens.weight", {5, 7}).is_weight_matrix());
  CHECK_FALSE(luq::make_checkpoint_tensor("model.norm.weight", {5}).is_weight_matrix());
  CHECK_FALSE(luq::make_checkpoint_tensor("visual.patch_embed.proj.weight", {5, 3, 2, 2}).is_weight_matrix());
  CHECK_FALSE(luq::make_checkpoint_tensor("vision_tower.vision_model.embeddings.position_embedding.weight", {5, 7})
                  .is_weight_matrix());
  CHECK(luq::make_checkpoint_tensor("visual.patch_embed.proj.weight", {5, 3, 2, 2}).size() == 60);
  CHECK(luq::make_checkpoint_tensor("visual.scale", {}).size() == 1);
}

TEST_CASE("linears are sorted by layer, then by name") {
  luq::checkpoint_shape checkpoint{linear(1), linear(0, 3, 5), luq::make_checkpoint_tensor("model.norm.weight", {9})};
  checkpoint.push_back(luq::make_checkpoint_tensor("model.layers.1.mlp.down_proj.weight", {8, 4}));
  const luq::model_shape shape = luq::decoder_linears_of(checkpoint);
  CHECK(shape == luq::model_shape{{{"model.layers.0.mlp.up_proj", 3, 5}},
                                  {{"model.layers.1.mlp.down_proj", 8, 4}, {"model.layers.1.mlp.up_proj", 4, 8}}});
  CHECK(luq::parameters_of(checkpoint) == 15 + 32 + 9 + 32);
}

TEST_CASE("invalid checkpoints say why") {
  const auto check_invalid = [](const luq::checkpoint_shape& checkpoint, std::string_view fragment) {
    check_fails(errc::invalid_argument, fragment, [&] { luq::require_valid(checkpoint); });
    check_fails(errc::invalid_argument, fragment, [&] { (void)luq::decoder_linears_of(checkpoint); });
  };
  CHECK_NOTHROW(luq::require_valid(luq::checkpoint_shape{linear(0), linear(1)}));
  check_invalid({}, "at least one decoder linear, got none");
  check_invalid({luq::make_checkpoint_tensor("model.norm.weight", {9})}, "at least one decoder linear, got none");
  check_invalid({linear(0, 0, 5)}, "expected extents of at least 1, got 0");
  check_invalid({linear(0, 5, -1)}, "got -1");
  check_invalid({linear(0), linear(0)}, "two tensors are named model.layers.0.mlp.up_proj.weight");
  check_invalid({linear(1)}, "each of the decoder layers 0 ... 1, got them in 1");
  check_invalid({linear(0), linear(2)}, "0 ... 2, got them in 2");
  check_invalid({linear(0), linear(1'000'000'000'000)}, "0 ... 1000000000000, got them in 2");
  check_invalid({linear(0), luq::make_checkpoint_tensor("model.layers.1.input_layernorm.weight", {9})},
                "0 ... 1, got them in 1");
  for (const luq::block_format& stored : {luq::block_format{"q4_k", 256, 144}, {"none", 1, 0}, {"wide", 1, 9}}) {
    check_invalid({luq::make_checkpoint_tensor("model.layers.0.mlp.up_proj.weight", {4, 256}, stored)},
                  "expected numbers of 1 ... 8 bytes, got " + stored.name);
  }
}

TEST_CASE("the number of parameters is bounded, whatever overflows first") {
  const luq::index root = luq::index{1} << 24;
  constexpr luq::index huge = std::numeric_limits<luq::index>::max();
  CHECK_NOTHROW(luq::require_valid(luq::checkpoint_shape{linear(0, root, root)}));
  const luq::checkpoint_tensor norm = luq::make_checkpoint_tensor("model.norm.weight", {1});
  const luq::checkpoint_tensor deep = luq::make_checkpoint_tensor("visual.w", {huge, huge, huge, huge});
  const luq::checkpoint_tensor wrapping = luq::make_checkpoint_tensor("visual.w", {root, root, root, root});
  for (const luq::checkpoint_shape& checkpoint :
       {luq::checkpoint_shape{linear(0, root, root), norm}, luq::checkpoint_shape{linear(0, root + 1, root)},
        luq::checkpoint_shape{linear(0, huge, huge)}, luq::checkpoint_shape{linear(0, 1, huge)},
        luq::checkpoint_shape{linear(0), deep}, luq::checkpoint_shape{linear(0), wrapping}}) {
    check_fails(errc::invalid_argument, "exceeds 281474976710656", [&] { luq::require_valid(checkpoint); });
  }
}
