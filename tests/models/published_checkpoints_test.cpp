// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Expected counts are sums over the tables of tensors on the checkpoints' pages, made apart from this library; that of
// Qwen2.5-VL-7B is also asserted by public code that loads it.
#include "luq/models/published_checkpoints.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "luq/policy/checkpoint_shape.hpp"

using luq::model_part;

namespace {

struct count {
  luq::index tensors = 0;
  luq::index parameters = 0;
  friend bool operator==(const count&, const count&) = default;
};

std::map<model_part, count> counts_of(const luq::checkpoint_shape& checkpoint) {
  std::map<model_part, count> result;
  for (const luq::checkpoint_tensor& tensor : checkpoint) {
    count& part = result[tensor.place.part];
    ++part.tensors;
    part.parameters += tensor.size();
  }
  return result;
}

luq::checkpoint_shape known(std::string_view name) {
  const luq::published_checkpoint* checkpoint = luq::find_published_checkpoint(name);
  REQUIRE(checkpoint != nullptr);
  return luq::shape_of(*checkpoint);
}

/// Parameters of the tensors whose name contains a text.
luq::index parameters_with(const luq::checkpoint_shape& checkpoint, std::string_view text) {
  luq::index total = 0;
  for (const luq::checkpoint_tensor& tensor : checkpoint) {
    if (tensor.name.find(text) != std::string::npos) total += tensor.size();
  }
  return total;
}

}  // namespace

TEST_CASE("llava-1.5-7b has the published tensors") {
  const luq::checkpoint_shape llava = known("llava-1.5-7b");
  CHECK_NOTHROW(luq::require_valid(llava));
  CHECK(llava.size() == 686);
  CHECK(luq::parameters_of(llava) == 7'063'427'072);
  auto counts = counts_of(llava);
  CHECK(counts[model_part::decoder_linear] == count{7 * 32, 6'476'005'376});
  CHECK(counts[model_part::decoder_vector] == count{2 * 32 + 1, 266'240});
  CHECK(counts[model_part::embedding] == count{1, 131'334'144});
  CHECK(counts[model_part::head] == count{1, 131'334'144});
  CHECK(counts[model_part::projector] == count{4, 20'979'712});
  CHECK(counts[model_part::vision] == count{16 * 24 + 7, 303'507'456});
  for (const char* name : {".q_proj.weight", ".k_proj.weight", ".v_proj.weight", ".o_proj.weight"}) {
    CHECK(parameters_with(llava, std::string("language_model.model.layers.31.self_attn") + name) == 4096 * 4096);
  }
  CHECK(parameters_with(llava, ".mlp.gate_proj.weight") == 1'442'840'576);
  CHECK(parameters_with(llava, ".mlp.up_proj.weight") == 1'442'840'576);
  CHECK(parameters_with(llava, ".mlp.down_proj.weight") == 1'442'840'576);
  CHECK(parameters_with(llava, ".mlp.fc1.weight") == 100'663'296);
  CHECK(parameters_with(llava, ".mlp.fc2.weight") == 100'663'296);
  CHECK(parameters_with(llava, ".out_proj.weight") == 25'165'824);
  CHECK(parameters_with(llava, ".patch_embedding.weight") == 602'112);
  CHECK(parameters_with(llava, ".position_embedding.weight") == 590'848);
  CHECK(parameters_with(llava, "_layernorm.weight") == 131'072 + 131'072 + 1'024);  // the last in the vision tower
}

TEST_CASE("qwen2.5-vl-7b has the published tensors") {
  const luq::checkpoint_shape qwen = known("qwen2.5-vl-7b");
  CHECK_NOTHROW(luq::require_valid(qwen));
  CHECK(qwen.size() == 729);
  CHECK(luq::parameters_of(qwen) == 8'292'166'656);
  auto counts = counts_of(qwen);
  CHECK(counts[model_part::decoder_linear] == count{7 * 28, 6'525'288'448});
  CHECK(counts[model_part::decoder_vector] == count{5 * 28 + 1, 129'024 + 204'288});
  CHECK(counts[model_part::embedding] == count{1, 544'997'376});
  CHECK(counts[model_part::head] == count{1, 544'997'376});
  CHECK(counts[model_part::projector] == count{5, 44'574'464});
  CHECK(counts[model_part::vision] == count{12 * 32 + 1, 631'975'680});
  for (const char* name : {"q_proj.bias", "k_proj.bias", "v_proj.bias"}) {
    CHECK(parameters_with(qwen, std::string(".self_attn.") + name) == 28 * (name[0] == 'q' ? 3584 : 512));
  }
  CHECK(parameters_with(qwen, ".attn.qkv.weight") == 157'286'400);
  CHECK(parameters_with(qwen, ".attn.qkv.bias") == 122'880);
  CHECK(parameters_with(qwen, ".attn.proj.weight") == 52'428'800);
  CHECK(parameters_with(qwen, ".patch_embed.") == 1'505'280);
  CHECK(parameters_with(qwen, "visual.merger.mlp.0.weight") == 26'214'400);
  CHECK(parameters_with(qwen, "visual.merger.mlp.2.weight") == 18'350'080);
}

TEST_CASE("layers of the decoder have as many weights as published") {
  const luq::model_shape llava = luq::decoder_linears_of(known("llava-1.5-7b"));
  REQUIRE(llava.size() == 32);
  for (const luq::layer_shape& layer : llava) CHECK(luq::weights_of(layer) == 202'375'168);
  const luq::model_shape qwen = luq::decoder_linears_of(known("qwen2.5-vl-7b"));
  REQUIRE(qwen.size() == 28);
  for (const luq::layer_shape& layer : qwen) CHECK(luq::weights_of(layer) == 233'046'016);
  CHECK(llava[31][1] == luq::linear_shape{"model.layers.31.mlp.gate_proj", 11008, 4096});
  CHECK(qwen[27][3] == luq::linear_shape{"model.layers.27.self_attn.k_proj", 512, 3584});
}

TEST_CASE("names have a number exactly where a family has several tensors, and none twice") {
  for (const luq::published_checkpoint& checkpoint : luq::published_checkpoints()) {
    std::set<std::string_view> names;
    for (const luq::tensor_family& family : checkpoint.tensors) {
      CAPTURE(family.name);
      CHECK(std::ranges::count(family.name, '#') == (family.count > 1 ? 1 : 0));
      CHECK(names.insert(family.name).second);
    }
  }
  CHECK(luq::find_published_checkpoint("llava-13b") == nullptr);
  CHECK(luq::find_published_checkpoint("") == nullptr);
}
