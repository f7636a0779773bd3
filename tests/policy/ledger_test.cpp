// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/policy/ledger.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "io/io_test_support.hpp"
#include "luq/models/published_checkpoints.hpp"
#include "luq/policy/prefix_scan.hpp"

using luq::block_format;
using luq::errc;
using luq::weight_storage;
using luq_test::check_fails;

namespace {

// ggml's (ggml-common.h).
const block_format f32{"f32", 1, 4};
const block_format q1_0{"q1_0", 128, 18};
const block_format iq1_m{"iq1_m", 256, 56};
const block_format q4_k{"q4_k", 256, 144};
const block_format q6_k{"q6_k", 256, 210};

weight_storage codec(std::string_view name) {
  return luq::parse_recipe(name);
}

struct known_model {
  luq::checkpoint_shape shape;
  luq::index layers;
  luq::index low_layers;

  explicit known_model(std::string_view name)
      : shape(luq::shape_of(*luq::find_published_checkpoint(name))),
        layers(static_cast<luq::index>(luq::decoder_linears_of(shape).size())),
        low_layers(luq::find_published_checkpoint(name)->low_layers) {}

  /// LUQ's plan with these forms.
  [[nodiscard]] luq::ledger with(const weight_storage& low, const weight_storage& high,
                                 const luq::part_storage& parts = {}) const {
    return luq::make_ledger(shape, luq::first_layers_low(layers, low_layers, low, high), parts);
  }
};

const known_model llava("llava-1.5-7b");
const known_model qwen("qwen2.5-vl-7b");

/// As the published tables have it, with three decimals.
std::string gib(luq::index bytes) {
  return std::to_string(std::llround(static_cast<double>(bytes) / (1 << 30) * 1000));
}

/// Two decoder layers of one linear, a norm, and every other part.
luq::checkpoint_shape small_checkpoint() {
  return {luq::make_checkpoint_tensor("model.layers.0.mlp.up_proj.weight", {10, 128}),
          luq::make_checkpoint_tensor("model.layers.0.input_layernorm.weight", {11}),
          luq::make_checkpoint_tensor("model.layers.1.mlp.up_proj.weight", {10, 128}),
          luq::make_checkpoint_tensor("model.embed_tokens.weight", {7, 256}),
          luq::make_checkpoint_tensor("lm_head.weight", {6, 256}),
          luq::make_checkpoint_tensor("visual.merger.mlp.0.weight", {5, 256}),
          luq::make_checkpoint_tensor("visual.merger.mlp.0.bias", {5}),
          luq::make_checkpoint_tensor("visual.blocks.0.attn.qkv.weight", {4, 256}),
          luq::make_checkpoint_tensor("visual.blocks.0.attn.qkv.bias", {4}, {"f32", 1, 4}),
          luq::make_checkpoint_tensor("visual.patch_embed.proj.weight", {4, 3, 2, 2})};
}

void check_line(const luq::ledger_line& line, const char* module, const char* stored, luq::index tensors,
                luq::index parameters, luq::index bytes) {
  CAPTURE(module);
  CHECK(line.module == module);
  CHECK(line.stored == stored);
  CHECK(line.tensors == tensors);
  CHECK(line.parameters == parameters);
  CHECK(line.bytes == bytes);
}

}  // namespace

TEST_CASE("without a plan the ledger is the size of the checkpoint") {
  for (const known_model* model : {&llava, &qwen}) {
    const block_format bf16{"bf16", 1, 2};
    const luq::ledger all = model->with(bf16, bf16);
    CHECK(all.whole_model.tensors == static_cast<luq::index>(model->shape.size()));
    CHECK(all.whole_model.parameters == luq::parameters_of(model->shape));
    CHECK(all.whole_model.bytes == 2 * luq::parameters_of(model->shape));
    CHECK(all.whole_model.true_bits() == 16);
    CHECK(all.whole_model.nominal_bits() == 16);
    CHECK(all.lines.size() == luq::model_parts.size());
  }
  CHECK(luq::parameters_of(llava.shape) * 2 == 14'126'854'144);
  CHECK(luq::parameters_of(qwen.shape) * 2 == 16'584'333'312);
}

TEST_CASE("the paper's nominal bits, and the true ones of its method") {
  const luq::ledger of_llava = llava.with(codec("billm:g128"), codec("int4:g128"));
  CHECK(of_llava.decoder_linears.nominal_bits() == doctest::Approx(2.54).epsilon(1e-12));
  CHECK(of_llava.decoder_linears.true_bits() == doctest::Approx(3.516).epsilon(0.0005));
  const luq::ledger of_qwen = qwen.with(codec("billm:g128"), codec("int4:g128"));
  CHECK(of_qwen.decoder_linears.nominal_bits() == doctest::Approx((12 * 1.08 + 16 * 4) / 28).epsilon(1e-12));
  CHECK(std::lround(of_qwen.decoder_linears.nominal_bits() * 100) == 275);
  CHECK(of_qwen.decoder_linears.true_bits() == doctest::Approx(3.607).epsilon(0.0005));
  // 2 sign planes, 7 fp16 for 128 weights of a row, and one flag for a column of each matrix
  CHECK(of_llava.lines[0].true_bits() >= 2.875);
  CHECK(of_llava.lines[0].true_bits() < 2.88);
}

TEST_CASE("decoder linears are the plan's bytes") {
  for (const known_model* model : {&llava, &qwen}) {
    const luq::model_shape shape = luq::decoder_linears_of(model->shape);
    const luq::prefix_policy policy{shape, luq::depth_order(model->layers), luq::parse_codec("trellis1.58:g0"),
                                    luq::parse_codec("int4:g128:searched"), "depth"};
    const luq::plan plan = luq::prefix_plan(policy, model->low_layers);
    const luq::ledger all = luq::make_ledger(model->shape, luq::layer_storage(plan, model->shape));
    CHECK(all.decoder_linears.bytes == luq::total_bytes(plan));
    CHECK(all.decoder_linears.true_bits() == doctest::Approx(luq::average_bits(plan)));
    CHECK(all.decoder_linears.nominal_bits() == doctest::Approx(luq::average_nominal_bits(plan)));
    CHECK(all.decoder_linears.layers == model->layers);
    CHECK(all.lines[0].layers == model->low_layers);
    CHECK(all.lines[1].layers == model->layers - model->low_layers);
  }
}

TEST_CASE("GGUF deployments have the sizes that their block sizes give") {
  const luq::part_storage ggml{.decoder_vectors = f32, .embedding = q4_k, .head = q6_k};
  const luq::part_storage stored;
  struct row {
    const known_model* model;
    block_format low;
    double bits;
    const char* linears;  // in thousandths of a GiB
    const char* ggml;
    const char* with_bf16;
  };
  for (const row& expected :
       {row{&llava, q4_k, 4.5, "3393", "3563", "3882"}, row{&llava, q1_0, 2.8125, "2120", "2290", "2610"},
        row{&llava, iq1_m, 3.125, "2356", "2526", "2846"}, row{&qwen, q4_k, 4.5, "3418", "4122", "5449"},
        row{&qwen, q1_0, 85.5 / 28, "2320", "3023", "4351"}, row{&qwen, iq1_m, 93.0 / 28, "2523", "3226", "4554"}}) {
    CAPTURE(expected.low.name);
    const luq::ledger deployed = expected.model->with(expected.low, q4_k, ggml);
    CHECK(deployed.decoder_linears.true_bits() == doctest::Approx(expected.bits).epsilon(1e-12));
    CHECK(deployed.decoder_linears.nominal_bits() == doctest::Approx(expected.bits).epsilon(1e-12));
    CHECK(gib(deployed.decoder_linears.bytes) == expected.linears);
    CHECK(gib(deployed.language_model.bytes) == expected.ggml);
    CHECK(gib(expected.model->with(expected.low, q4_k, stored).language_model.bytes) == expected.with_bf16);
    const luq::index vision = deployed.whole_model.bytes - deployed.language_model.bytes;
    CHECK(gib(vision) == (expected.model == &llava ? "604" : "1260"));
  }
  // The paper's deployment, "3.4 GB": 12 layers of 233 046 016 weights at 1.75 bits, 16 at 4.5, and so on, by hand.
  CHECK(qwen.with(iq1_m, q4_k, ggml).language_model.bytes == 3'464'122'368);
}

TEST_CASE("every part is stored as asked, what is no matrix as it was") {
  const std::vector<weight_storage> layers{codec("sign:g128"), codec("int4:g128")};
  const luq::index low = luq::packed_bytes(luq::parse_codec("sign:g128"), 10, 128);
  const luq::index high = luq::packed_bytes(luq::parse_codec("int4:g128"), 10, 128);

  const luq::ledger kept = luq::make_ledger(small_checkpoint(), layers);
  REQUIRE(kept.lines.size() == 8);
  check_line(kept.lines[0], "decoder linears", "sign:g128", 1, 1280, low);
  check_line(kept.lines[1], "decoder linears", "int4:g128", 1, 1280, high);
  check_line(kept.lines[2], "decoder norms and biases", "bf16", 1, 11, 22);
  check_line(kept.lines[3], "embedding", "bf16", 1, 1792, 3584);
  check_line(kept.lines[4], "head", "bf16", 1, 1536, 3072);
  check_line(kept.lines[5], "projector", "bf16", 2, 1285, 2570);
  check_line(kept.lines[6], "vision tower", "bf16", 2, 1072, 2144);
  check_line(kept.lines[7], "vision tower", "f32", 1, 4, 16);
  check_line(kept.decoder_linears, "all decoder linears", "", 2, 2560, low + high);
  check_line(kept.decoder, "decoder", "", 3, 2571, low + high + 22);
  check_line(kept.language_model, "language model", "", 5, 2571 + 1792 + 1536, low + high + 22 + 3584 + 3072);
  check_line(kept.whole_model, "whole model", "", 10, 2571 + 1792 + 1536 + 1285 + 1076,
             low + high + 22 + 3584 + 3072 + 2570 + 2144 + 16);

  const luq::index projector = luq::packed_bytes(luq::parse_codec("int8:g128"), 5, 256);
  const luq::ledger packed = luq::make_ledger(
      small_checkpoint(), layers,
      {.decoder_vectors = f32, .embedding = q4_k, .head = q6_k, .projector = codec("int8:g128"), .vision = q1_0});
  REQUIRE(packed.lines.size() == 10);
  check_line(packed.lines[2], "decoder norms and biases", "f32", 1, 11, 44);
  check_line(packed.lines[3], "embedding", "q4_k", 1, 1792, 7 * 144);
  check_line(packed.lines[4], "head", "q6_k", 1, 1536, 6 * 210);
  check_line(packed.lines[5], "projector", "int8:g128", 1, 1280, projector);
  check_line(packed.lines[6], "projector", "bf16", 1, 5, 10);
  check_line(packed.lines[7], "vision tower", "q1_0", 1, 1024, 4 * 2 * 18);
  check_line(packed.lines[8], "vision tower", "f32", 1, 4, 16);
  check_line(packed.lines[9], "vision tower", "bf16", 1, 48, 96);
  CHECK(packed.lines[4].true_bits() == doctest::Approx(6.5625));

  const luq::ledger plain = luq::make_ledger(small_checkpoint(), layers, {.vision = f32});
  check_line(plain.lines[6], "vision tower", "f32", 3, 1076, 4304);
}

TEST_CASE("sums without parameters have no bits") {
  CHECK(luq::ledger_line{}.true_bits() == 0);
  CHECK(luq::ledger_line{}.nominal_bits() == 0);
  // A head that is the table of embeddings has no tensor of its own, and no line.
  luq::checkpoint_shape tied = small_checkpoint();
  std::erase_if(tied, [](const auto& tensor) { return tensor.place.part == luq::model_part::head; });
  const luq::ledger all = luq::make_ledger(tied, std::vector<weight_storage>(2, codec("sign:g128")));
  for (const luq::ledger_line& line : all.lines) CHECK(line.module != "head");
}

TEST_CASE("what a ledger cannot be made of") {
  const luq::checkpoint_shape checkpoint = small_checkpoint();
  const std::vector<weight_storage> two(2, codec("sign:g128"));
  check_fails(errc::shape_mismatch, "expected 2 forms of storage, one per decoder layer, got 1",
              [&] { (void)luq::make_ledger(checkpoint, std::span(two).first(1)); });
  check_fails(errc::invalid_argument, "decoder norms and biases: expected plain numbers, got sign:g128",
              [&] { (void)luq::make_ledger(checkpoint, two, {.decoder_vectors = codec("sign:g128")}); });
  check_fails(errc::unsupported, "model.layers.0.mlp.up_proj.weight: 128 columns are no multiple of 256, the block of",
              [&] { (void)luq::make_ledger(checkpoint, std::vector<weight_storage>(2, q4_k)); });
  check_fails(errc::invalid_argument, "at least one decoder linear", [&] { (void)luq::make_ledger({}, {}); });
  // Qwen's vision tower has rows of 3420 weights.
  check_fails(errc::unsupported, "visual.blocks.0.mlp.down_proj.weight: 3420 columns",
              [&] { (void)qwen.with(q4_k, q4_k, {.vision = q4_k}); });
}

TEST_CASE("a plan must be of the checkpoint's linears, in any order within a layer") {
  const luq::checkpoint_shape checkpoint = llava.shape;
  luq::plan plan = luq::uniform_plan(luq::decoder_linears_of(checkpoint), luq::parse_codec("bcq2:g128"));
  plan.recipes[3] = luq::parse_codec("sign:g128");
  std::swap(plan.shape[5][0], plan.shape[5][6]);
  const std::vector<weight_storage> storage = luq::layer_storage(plan, checkpoint);
  REQUIRE(storage.size() == 32);
  CHECK(storage[3] == codec("sign:g128"));
  CHECK(storage[5] == codec("bcq2:g128"));

  luq::plan other = plan;
  other.shape[7][2].rows += 1;
  check_fails(errc::shape_mismatch, "layer 7 has other linears than the checkpoint",
              [&] { (void)luq::layer_storage(other, checkpoint); });
  other = plan;
  other.shape.pop_back();
  other.recipes.pop_back();
  check_fails(errc::shape_mismatch, "expected 32 layers, as the checkpoint has, got 31",
              [&] { (void)luq::layer_storage(other, checkpoint); });
  other = plan;
  other.recipes.pop_back();
  check_fails(errc::shape_mismatch, "expected 32 recipes", [&] { (void)luq::layer_storage(other, checkpoint); });
  check_fails(errc::shape_mismatch, "expected 28 layers", [&] { (void)luq::layer_storage(plan, qwen.shape); });
}

TEST_CASE("the first layers are the low ones") {
  const weight_storage low = codec("sign:g128");
  const weight_storage high = q4_k;
  CHECK(luq::first_layers_low(3, 0, low, high) == std::vector<weight_storage>{high, high, high});
  CHECK(luq::first_layers_low(3, 2, low, high) == std::vector<weight_storage>{low, low, high});
  CHECK(luq::first_layers_low(3, 3, low, high) == std::vector<weight_storage>{low, low, low});
  for (const luq::index wrong : {-1, 4}) {
    check_fails(errc::invalid_argument, "low layers: expected 0 ... 3, got " + std::to_string(wrong),
                [&] { (void)luq::first_layers_low(3, wrong, low, high); });
  }
}
