// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "app/quantize_decoder.hpp"

#include <algorithm>
#include <luq/quantizers/billm.hpp>
#include <luq/quantizers/gptq.hpp>
#include <luq/quantizers/output_error.hpp>
#include <luq/quantizers/quantize.hpp>
#include <luq/quantizers/round_to_nearest.hpp>

#include "app_test_support.hpp"

using vlm::weight_form;
using vlm_test::check_fails;
using vlm_test::quantize_random_model;
using vlm_test::random_calibration;
using vlm_test::random_model;

namespace {

const luq::matrix& float_weights(const vlm::vision_language_model& model, std::size_t layer, std::size_t i) {
  const auto& linear = model.decoder_linear_at(static_cast<luq::index>(layer), vlm::decoder_linears[i]);
  return *std::get<std::shared_ptr<const luq::matrix>>(linear.weights());
}

const luq::hessian& hessian_of(std::size_t layer, std::size_t i) {
  return random_calibration().layers[layer].hessian_of(vlm::decoder_linears[i]);
}

vlm::vision_language_model with_all_layers(vlm::vision_language_model model, const vlm::quantized_decoder& decoder,
                                           weight_form form) {
  for (std::size_t layer = 0; layer < decoder.layers.size(); ++layer) {
    vlm::use_layer(model, static_cast<luq::index>(layer), decoder.layers[layer], form);
  }
  return model;
}

bool same_bytes(const luq::any_packed_matrix& a, const luq::any_packed_matrix& b) {
  return std::ranges::equal(luq::bytes_of(a), luq::bytes_of(b));
}

/// Checks that every linear holds the bytes that luq::quantize() makes of its weights and Hessian.
template <class Codec, class Quantizer>
void check_codes(const vlm::quantized_decoder& decoder, const Codec& codec, const Quantizer& quantizer) {
  CHECK(decoder.how.codec == luq::any_codec(codec));
  REQUIRE(decoder.layers.size() == 3);
  for (std::size_t layer = 0; layer < 3; ++layer) {
    for (std::size_t i = 0; i < vlm::decoder_linears.size(); ++i) {
      CAPTURE(layer);
      CAPTURE(i);
      const luq::linear_inputs inputs(hessian_of(layer, i));
      const luq::any_packed_matrix expected =
          luq::quantize({float_weights(random_model(), layer, i), inputs}, codec, quantizer).packed;
      CHECK(same_bytes(*decoder.layers[layer][i].packed, expected));
    }
  }
}

}  // namespace

TEST_CASE("each search is the library's quantizer of that kind") {
  check_codes(quantize_random_model("int3:g16/rtn"), luq::int_codec<3>{.group = 16}, luq::round_to_nearest{});
  check_codes(quantize_random_model("int3:g16/gptq"), luq::int_codec<3>{.group = 16},
              luq::gptq{.order = luq::column_order::activation});
  check_codes(quantize_random_model("billm:g16/billm"), luq::billm_codec{.group = 16}, luq::billm{});
}

TEST_CASE("output errors are those of the decoded weights under the linear's Hessian") {
  for (const char* codec : {"sign:g16/gptq", "hadamard/int4:g16:searched/rtn", "awq/int4:g16/gptq"}) {
    CAPTURE(codec);
    const vlm::quantized_decoder decoder = quantize_random_model(codec);
    double sum = 0;
    for (std::size_t layer = 0; layer < decoder.layers.size(); ++layer) {
      for (std::size_t i = 0; i < vlm::decoder_linears.size(); ++i) {
        const vlm::quantized_linear& linear = decoder.layers[layer][i];
        const luq::matrix decoded = luq::decode(*linear.packed);
        CHECK(vlm_test::identical(*linear.decoded, decoded));
        CHECK(linear.output_error == luq::relative_output_error(float_weights(random_model(), layer, i), decoded,
                                                                hessian_of(layer, i).matrix()));
        CHECK(linear.output_error > 0);
        sum += linear.output_error;
      }
    }
    CHECK(decoder.mean_output_error() == doctest::Approx(sum / 21).epsilon(1e-12));
  }
}

TEST_CASE("feedback loses less of the outputs than rounding, and more bits less than fewer") {
  const double nearest = quantize_random_model("int2:g16/rtn").mean_output_error();
  const double feedback = quantize_random_model("int2:g16/gptq").mean_output_error();
  CHECK(feedback < 0.8 * nearest);
  CHECK(quantize_random_model("int4:g16/gptq").mean_output_error() < 0.2 * feedback);
}

TEST_CASE("the best search loses less than feedback, and a trellis less than a scalar code of as many bits") {
  const double refined = quantize_random_model("ternary:g0/gptq+refine").mean_output_error();
  CHECK(refined < 0.9 * quantize_random_model("ternary:g0/gptq").mean_output_error());
  CHECK(quantize_random_model("trellis1.58:g0/beam").mean_output_error() < 0.9 * refined);
}

TEST_CASE("packed and decoded forms of a decoder give the same logits") {
  const luq::matrix in_float = vlm_test::random_logits(random_model());
  for (const char* codec : {"sign:g128/gptq", "ternary:g16/gptq", "bcq2:g16/gptq", "int4:g16:searched/gptq",
                            "trellis1:g0", "hadamard/int2:g16/gptq", "rowcol/sign:g16/gptq", "awq/trellis2:g0"}) {
    CAPTURE(codec);
    const vlm::quantized_decoder decoder = quantize_random_model(codec);
    const luq::matrix decoded = vlm_test::random_logits(with_all_layers(random_model(), decoder, weight_form::decoded));
    const luq::matrix packed = vlm_test::random_logits(with_all_layers(random_model(), decoder, weight_form::packed));
    CHECK(vlm_test::relative_difference(packed, decoded) < 1e-5);
    CHECK(vlm_test::relative_difference(decoded, in_float) > 1e-3);  // it is quantized
  }
}

TEST_CASE("eight bits are nearly lossless on the embedded model") {
  const auto& set = vlm_test::tiny_calibration_set();
  luq::activation_entropy_options entropy;
  entropy.clustering.clusters = 10;
  const auto statistics =
      vlm::calibrate(vlm_test::tiny_model(), set, vlm::mix_sequences(set, 0.5, 1000), {entropy}, {});
  const auto decoder = vlm::quantize_decoder(vlm_test::tiny_model(), statistics, luq::parse_recipe("int8:g128"), {});
  CHECK(decoder.layers.size() == 12);
  CHECK(decoder.mean_output_error() < 1e-4);

  const auto& data = vlm_test::tiny_fixture();
  for (const weight_form form : {weight_form::packed, weight_form::decoded}) {
    const vlm::vision_language_model model = with_all_layers(vlm_test::tiny_model(), decoder, form);
    for (const auto& sequence : data.sequences) {
      const luq::matrix logits = model.logits(model.sequence(sequence.ids), vlm_test::features_of(data, sequence));
      CHECK(vlm_test::relative_difference(logits, sequence.logits) < 0.03);
    }
  }
}

TEST_CASE("a layer is replaced in one model, not in its copies nor its other layers") {
  const vlm::quantized_decoder decoder = quantize_random_model("sign:g128/gptq");
  vlm::vision_language_model model = random_model();
  const vlm::vision_language_model copy = model;
  vlm::use_layer(model, 1, decoder.layers[1], weight_form::packed);
  for (const vlm::decoder_linear which : vlm::decoder_linears) {
    const auto i = static_cast<std::size_t>(which);
    using packed_pointer = std::shared_ptr<const luq::any_packed_matrix>;
    CHECK(std::get<packed_pointer>(model.decoder_linear_at(1, which).weights()) == decoder.layers[1][i].packed);
    for (const luq::index layer : {luq::index{0}, luq::index{2}}) {
      CHECK(model.decoder_linear_at(layer, which).weights() ==
            random_model().decoder_linear_at(layer, which).weights());
    }
    CHECK(copy.decoder_linear_at(1, which).weights() == random_model().decoder_linear_at(1, which).weights());
  }
}

TEST_CASE("the number of threads changes no bit of a decoder") {
  const luq::recipe how = luq::parse_recipe("hadamard/ternary:g16/gptq+refine");
  const auto one = vlm::quantize_decoder(random_model(), random_calibration(), how, {.threads = 1});
  const auto three = vlm::quantize_decoder(random_model(), random_calibration(), how, {.threads = 3});
  for (std::size_t layer = 0; layer < 3; ++layer) {
    for (std::size_t i = 0; i < vlm::decoder_linears.size(); ++i) {
      CHECK(same_bytes(*one.layers[layer][i].packed, *three.layers[layer][i].packed));
    }
  }
}

TEST_CASE("a layer takes four factorisations, one for each input, and none where nothing is fed forward") {
  for (const char* how : {"sign:g16/gptq", "int4:g16/gptq+refine", "billm:g16/billm", "trellis2:g0/beam"}) {
    CAPTURE(how);
    for (const int threads : {1, 3}) {
      CHECK(vlm::quantize_decoder(random_model(), random_calibration(), luq::parse_recipe(how), {.threads = threads})
                .factorizations == 4 * 3);
    }
  }
  // A rotation is one for all linears of an input. Scales are each linear's own.
  CHECK(quantize_random_model("hadamard/int2:g16/gptq").factorizations == 4 * 3);
  CHECK(quantize_random_model("sign:g16/rtn").factorizations == 0);
}

TEST_CASE("what needs the drift of inputs is refused by name") {
  for (const char* how : {"int4:g16/gptaq", "int4:g16/qep+rtn"}) {
    check_fails(luq::errc::insufficient_data, {"decoder layer", how, "expected inputs with a drift"},
                [&] { (void)quantize_random_model(how); });
  }
}

TEST_CASE("weights that are packed already are not quantized again") {
  vlm::vision_language_model model = random_model();
  vlm::use_layer(model, 2, quantize_random_model("sign:g128/gptq").layers[2], weight_form::packed);
  check_fails(luq::errc::invalid_argument, {"decoder layer 2", "mlp.down_proj", "expected float weights"}, [&] {
    (void)vlm::quantize_decoder(model, random_calibration(), luq::parse_recipe("int4:g16"), {.threads = 1});
  });
}

TEST_CASE("an input that calibration never used is reported, and only its own weights become zero") {
  const vlm::calibration statistics = vlm_test::random_calibration_with_dead(vlm::linear_input::mlp, 2);
  const vlm::quantized_decoder decoder =
      vlm::quantize_decoder(random_model(), statistics, luq::parse_recipe("int4:g16"), {});
  for (std::size_t layer = 0; layer < 3; ++layer) {
    for (const vlm::decoder_linear which : vlm::decoder_linears) {
      const vlm::quantized_linear& linear = decoder.layers[layer][static_cast<std::size_t>(which)];
      const bool has_dead = layer == 1 && vlm::input_of(which) == vlm::linear_input::mlp;
      CHECK(linear.report.dead_columns == (has_dead ? 2 : 0));
      CHECK(linear.decoded->leftCols(2).isZero(0.0f) == has_dead);
      CHECK(!linear.decoded->col(2).isZero(0.0f));
    }
  }
}

TEST_CASE("a linear none of whose inputs calibration used is an error that names it, but for rounding") {
  const luq::index inputs = random_calibration().layers[1].hessian_of(vlm::decoder_linear::down).in_features();
  const vlm::calibration statistics = vlm_test::random_calibration_with_dead(vlm::linear_input::mlp_output, inputs);
  for (const char* how : {"sign:g16/gptq", "sign:g16/gptq+refine", "sign:g16/billm"}) {
    check_fails(luq::errc::insufficient_data, {"decoder layer 1, mlp.down_proj: Hessian of"}, [&] {
      (void)vlm::quantize_decoder(random_model(), statistics, luq::parse_recipe(how), {.threads = 2});
    });
  }
  const auto rounded = vlm::quantize_decoder(random_model(), statistics, luq::parse_recipe("sign:g16/rtn"), {});
  CHECK(same_bytes(*rounded.layers[1][6].packed, *quantize_random_model("sign:g16/rtn").layers[1][6].packed));
}

TEST_CASE("progress counts layers and names the recipe") {
  vlm_test::recorded_progress progress;
  (void)vlm::quantize_decoder(random_model(), random_calibration(), luq::parse_recipe("sign:g16"), {}, &progress);
  REQUIRE(progress.tasks.size() == 1);
  CHECK(progress.tasks[0].name == "sign:g16/gptq+refine: layers");
  CHECK(progress.tasks[0].units == 3);
  CHECK(progress.tasks[0].done == 3);
  CHECK(progress.tasks[0].ended);
}
