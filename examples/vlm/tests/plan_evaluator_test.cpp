// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "app/plan_evaluator.hpp"

#include "app_test_support.hpp"

using vlm::weight_form;
using vlm_test::check_fails;
using vlm_test::quantize_random_model;
using vlm_test::random_model;

namespace {

const vlm::quantized_decoder& low() {
  static const vlm::quantized_decoder decoder = quantize_random_model("sign:g128/gptq");
  return decoder;
}

const vlm::quantized_decoder& high() {
  static const vlm::quantized_decoder decoder = quantize_random_model("int4:g16/gptq");
  return decoder;
}

/// One codec for each of the three layers.
luq::plan plan_of(const luq::recipe& first, const luq::recipe& second, const luq::recipe& third) {
  return {vlm::decoder_shape(random_model()), {first, second, third}, ""};
}

}  // namespace

TEST_CASE("the shape of a decoder is that of its linears, under the names of LLaMA checkpoints") {
  const luq::model_shape shape = vlm::decoder_shape(vlm_test::tiny_model());
  REQUIRE(shape.size() == 12);
  const luq::layer_shape expected{
      {"model.layers.11.self_attn.q_proj", 128, 128}, {"model.layers.11.self_attn.k_proj", 64, 128},
      {"model.layers.11.self_attn.v_proj", 64, 128},  {"model.layers.11.self_attn.o_proj", 128, 128},
      {"model.layers.11.mlp.gate_proj", 384, 128},    {"model.layers.11.mlp.up_proj", 384, 128},
      {"model.layers.11.mlp.down_proj", 128, 384}};
  CHECK(shape[11] == expected);
  CHECK(shape[3][5].name == "model.layers.3.mlp.up_proj");
}

TEST_CASE("a mixed plan is the model assembled by hand") {
  const luq::plan choice = plan_of(low().how, high().how, low().how);
  for (const weight_form form : {weight_form::packed, weight_form::decoded}) {
    vlm::vision_language_model expected = random_model();
    vlm::use_layer(expected, 0, low().layers[0], form);
    vlm::use_layer(expected, 1, high().layers[1], form);
    vlm::use_layer(expected, 2, low().layers[2], form);
    const vlm::vision_language_model planned = vlm::planned_model(random_model(), choice, {&high(), &low()}, form);
    CHECK(vlm_test::identical(vlm_test::random_logits(planned), vlm_test::random_logits(expected)));
    for (const vlm::decoder_linear which : vlm::decoder_linears) {
      for (luq::index layer = 0; layer < 3; ++layer) {
        CHECK(planned.decoder_linear_at(layer, which).weights() == expected.decoder_linear_at(layer, which).weights());
      }
    }
  }
}

TEST_CASE("a codec that nothing was quantized with is named") {
  const luq::plan choice = plan_of(high().how, low().how, luq::parse_codec("int4:g32"));
  check_fails(luq::errc::invalid_argument, {"layer 2", "int4:g32"},
              [&] { (void)vlm::planned_model(random_model(), choice, {&low(), &high()}, weight_form::decoded); });
  check_fails(luq::errc::invalid_argument, {"layer 0", "int4:g16"},
              [&] { (void)vlm::planned_model(random_model(), choice, {&low()}, weight_form::packed); });
}

TEST_CASE("plans are evaluated as the models they are, a set of low layers once") {
  const vlm::question_set questions = vlm_test::random_questions(20);
  const vlm::examination exam(random_model(), questions, {});
  vlm::quantized_decoder spoilable = low();
  vlm::plan_evaluator evaluator(random_model(), exam, spoilable, high());
  const luq::recipe l = low().how;
  const luq::recipe h = high().how;

  const luq::plan choices[] = {plan_of(h, h, h), plan_of(l, h, h), plan_of(h, l, h), plan_of(l, h, l)};
  std::vector<vlm::accuracy> results;
  for (const luq::plan& choice : choices) {
    const vlm::accuracy expected =
        exam.take(vlm::planned_model(random_model(), choice, {&low(), &high()}, weight_form::decoded));
    results.push_back(evaluator(choice));
    CHECK(results.back().right == expected.right);
    CHECK(results.back().asked == expected.asked);
  }

  // From here on, evaluating a plan with a low layer fails: only what is remembered can be had.
  for (auto& layer : spoilable.layers) layer[0].decoded = std::make_shared<const luq::matrix>(luq::matrix::Zero(1, 1));
  for (std::size_t i = 0; i < results.size(); ++i) {
    luq::plan again = choices[i];
    again.reason = "another order with the same layers";
    CHECK(evaluator(again).right == results[i].right);
  }
  check_fails(luq::errc::shape_mismatch, {"1 x 1"}, [&] { (void)evaluator(plan_of(l, l, h)); });
}

TEST_CASE("an evaluator knows its two recipes only, whatever it remembers") {
  const vlm::question_set questions = vlm_test::random_questions(6);
  const vlm::examination exam(random_model(), questions, {});
  vlm::plan_evaluator evaluator(random_model(), exam, low(), high());
  const luq::recipe h = high().how;
  const luq::recipe other = luq::parse_codec("int4:g32");
  check_fails(luq::errc::invalid_argument, {"layer 1", "int4:g32"}, [&] { (void)evaluator(plan_of(h, other, h)); });
  (void)evaluator(plan_of(h, h, h));
  check_fails(luq::errc::invalid_argument, {"layer 1", "int4:g32"}, [&] { (void)evaluator(plan_of(h, other, h)); });
}
