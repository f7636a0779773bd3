// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "app/synthetic_decoder.hpp"

#include <cmath>
#include <set>

#include "app/plan_evaluator.hpp"
#include "engine_test_support.hpp"

using vlm::decoder_architecture;
using vlm::decoder_linear;
using vlm_test::check_fails;

namespace {

/// Three layers with two query heads a key, and rows that fill no whole tile.
decoder_architecture small_architecture() {
  decoder_architecture result{.name = "small", .text = {}, .low_layers = 2};
  result.text.query_key_value_bias = true;
  result.text.vocabulary = 100;
  result.text.hidden_size = 48;
  result.text.intermediate_size = 80;
  result.text.layers = 3;
  result.text.heads = 4;
  result.text.key_value_heads = 2;
  result.text.head_dim = 12;
  return result;
}

luq::plan plan_of_layers(const decoder_architecture& architecture, const std::vector<std::string>& codecs) {
  luq::plan result{vlm::decoder_shape(architecture.text), {}, ""};
  for (const std::string& codec : codecs) result.recipes.push_back(luq::parse_codec(codec));
  return result;
}

}  // namespace

TEST_CASE("published architectures have the weights of their checkpoints") {
  const decoder_architecture llava = vlm::architecture_by_name("llava-1.5-7b");
  CHECK(luq::weights_of(vlm::decoder_shape(llava.text)) == 4 * 536870912LL + 3 * 1442840576LL);
  CHECK(llava.text.vocabulary * llava.text.hidden_size == 131334144);
  CHECK(!llava.text.query_key_value_bias);
  CHECK(llava.low_layers == 16);

  const decoder_architecture qwen = vlm::architecture_by_name("qwen2.5-vl-7b");
  CHECK(luq::weights_of(vlm::decoder_shape(qwen.text)) == 2 * 359661568LL + 2 * 51380224LL + 3 * 1901068288LL);
  CHECK(qwen.text.vocabulary * qwen.text.hidden_size == 544997376);
  CHECK(qwen.text.query_key_value_bias);
  CHECK(qwen.low_layers == 12);

  for (const decoder_architecture& a : {llava, qwen}) CHECK(a.text.heads * a.text.head_dim == a.text.hidden_size);
  check_fails(luq::errc::invalid_argument, {"\"gpt\"", "llava-1.5-7b, qwen2.5-vl-7b"},
              [] { (void)vlm::architecture_by_name("gpt"); });
}

TEST_CASE("the architecture of a directory is that of its configuration") {
  const decoder_architecture tiny = vlm::architecture_by_name(vlm_test::tiny_fixture().model.string());
  CHECK(tiny.name == "tiny-llava");
  CHECK(vlm::decoder_shape(tiny.text) == vlm::decoder_shape(vlm_test::tiny_model()));
  CHECK(tiny.low_layers == 6);
}

TEST_CASE("the first layers alone keep their share of low ones") {
  const decoder_architecture qwen = vlm::architecture_by_name("qwen2.5-vl-7b");
  CHECK(qwen.first_layers(7).text.layers == 7);
  CHECK(qwen.first_layers(7).low_layers == 3);
  CHECK(qwen.first_layers(2).low_layers == 0);
  CHECK(qwen.first_layers(28).low_layers == 12);
  for (const luq::index layers : {0, 29}) {
    check_fails(luq::errc::invalid_argument, {"qwen2.5-vl-7b", "1 ... 28", std::to_string(layers)},
                [&] { (void)qwen.first_layers(layers); });
  }
}

TEST_CASE("random packed matrices are repeated row tiles of plausible weights, whatever the codec and the size") {
  const char* const codecs[] = {"int2:g32",   "int3:g32:searched", "int4:g128",      "int4:g32:sym",
                                "int8:g0",    "sign:g16",          "ternary:g32",    "bcq2:g64",
                                "lloyd3:g64", "billm:g32",         "trellis1:g0",    "trellis1.58:g64",
                                "trellis4",   "hadamard/int4:g32", "rowcol/sign:g16"};
  for (const char* name : codecs) {
    for (const std::pair<luq::index, luq::index> shape : {std::pair{64, 128}, {200, 100}, {5, 33}}) {
      const luq::index rows = shape.first;
      const luq::index cols = shape.second;
      CAPTURE(name);
      CAPTURE(rows);
      const luq::recipe codec = luq::parse_recipe(name);
      const luq::any_packed_matrix packed = vlm::random_packed_matrix(codec, rows, cols);
      CHECK(luq::codec_of(packed) == codec.codec);
      CHECK(static_cast<luq::index>(luq::bytes_of(packed).size()) == luq::packed_bytes(codec, rows, cols));
      const luq::matrix W = luq::decode(packed);
      REQUIRE(W.rows() == rows);
      REQUIRE(W.cols() == cols);
      CHECK(W.allFinite());
      const float deviation = W.norm() / std::sqrt(static_cast<float>(rows));  // 1 as drawn
      CHECK(deviation > 0.4f);
      CHECK(deviation < 2.5f);
      CHECK(W.row(0) != W.row(1));
      for (luq::index r = luq::tile_rows; r < rows; ++r) CHECK(W.row(r) == W.row(r % luq::tile_rows));
    }
  }
}

TEST_CASE("decoders share layers of equal codec, and no two layers share memory") {
  const decoder_architecture architecture = small_architecture();
  const luq::any_codec head = luq::parse_codec("int8:g16");
  const luq::plan plans[] = {plan_of_layers(architecture, {"sign:g16", "int4:g16", "sign:g16"}),
                             plan_of_layers(architecture, {"int4:g16", "int4:g16", "int4:g16"})};
  vlm::synthetic_decoders decoders(architecture, head);
  const vlm::decoder mixed = decoders.with_plan(plans[0]);
  const vlm::decoder uniform = decoders.with_plan(plans[1]);
  CHECK(mixed.head().weights() == uniform.head().weights());

  std::set<const std::byte*> buffers{mixed.head().bytes().data()};
  std::size_t bytes = mixed.head().bytes().size();
  for (std::size_t layer = 0; layer < 3; ++layer) {
    for (const decoder_linear which : vlm::decoder_linears) {
      const bool is_shared = mixed.layers()[layer][which].weights() == uniform.layers()[layer][which].weights();
      CHECK(is_shared == (layer == 1));
      for (const vlm::decoder* d : {&mixed, &uniform}) {
        const auto weights = d->layers()[layer][which].bytes();
        if (buffers.insert(weights.data()).second) bytes += weights.size();
      }
    }
  }
  CHECK(buffers.size() == 1 + 7 * (3 + 2));
  CHECK(static_cast<luq::index>(bytes) == vlm::synthetic_bytes(architecture, plans, head));
}

TEST_CASE("query, key and value alone have a bias where the architecture says so") {
  decoder_architecture architecture = small_architecture();
  for (const bool has_bias : {true, false}) {
    architecture.text.query_key_value_bias = has_bias;
    vlm::synthetic_decoders decoders(architecture, luq::parse_codec("int8"));
    const vlm::decoder model = decoders.with_plan(plan_of_layers(architecture, {"sign:g16", "sign:g16", "sign:g16"}));
    for (const decoder_linear which : vlm::decoder_linears) {
      const vlm::linear& linear = model.layers()[2][which];
      const luq::matrix output = linear(luq::matrix::Zero(1, linear.in_features()));
      const bool may_have_one =
          which == decoder_linear::query || which == decoder_linear::key || which == decoder_linear::value;
      CHECK(output.isZero(0.0f) == !(has_bias && may_have_one));
    }
  }
}

TEST_CASE("a decoder made of parts has the logits of its head and norm") {
  const decoder_architecture architecture = small_architecture();
  vlm::synthetic_decoders decoders(architecture, luq::parse_codec("int8:g16"));
  const vlm::decoder model = decoders.with_plan(plan_of_layers(architecture, {"int4:g16", "int4:g16", "int4:g16"}));
  const luq::matrix X = luq::matrix::Constant(1, 48, 2.0f);  // all ones after the norm
  const luq::matrix W = luq::decode(*std::get<std::shared_ptr<const luq::any_packed_matrix>>(model.head().weights()));
  CHECK(model.logits(X).isApprox(luq::matrix::Ones(1, 48) * W.transpose(), 1e-4f));
}
