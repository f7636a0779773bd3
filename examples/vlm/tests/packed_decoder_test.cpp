// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Decoders whose linears are packed: they compute what the unpacked weights compute, whatever the codec.
#include <luq/codecs/any_packed_matrix.hpp>
#include <luq/quantizers/quantize.hpp>
#include <luq/quantizers/round_to_nearest.hpp>
#include <thread>

#include "engine_test_support.hpp"

using vlm::decoder_linear;
using vlm::vision_language_model;
using vlm_test::features_of;
using vlm_test::fixture;

namespace {

luq::any_packed_matrix packed_nearest(const luq::matrix& W, const luq::any_codec& codec) {
  return std::visit(
      [&](const auto& c) { return luq::any_packed_matrix(luq::quantize(W, c, luq::round_to_nearest{}).packed); },
      codec);
}

struct quantized_pair {
  vision_language_model packed;
  vision_language_model unpacked;  ///< the same weights, dense
};

quantized_pair quantize_layers(const vision_language_model& model, const luq::any_codec& codec, luq::index first,
                               luq::index end) {
  quantized_pair result{model, model};
  for (luq::index layer = first; layer < end; ++layer) {
    for (const decoder_linear which : vlm::decoder_linears) {
      const auto& W = std::get<std::shared_ptr<const luq::matrix>>(model.decoder_linear_at(layer, which).weights());
      auto packed = std::make_shared<const luq::any_packed_matrix>(packed_nearest(*W, codec));
      result.unpacked.set_decoder_weights(layer, which, std::make_shared<const luq::matrix>(luq::decode(*packed)));
      result.packed.set_decoder_weights(layer, which, std::move(packed));
    }
  }
  return result;
}

vision_language_model computing(vision_language_model model, const vlm::compute_options& compute) {
  model.set_compute(compute);
  return model;
}

luq::matrix logits(const vision_language_model& model, const fixture& data, std::size_t sequence) {
  return model.logits(model.sequence(data.sequences[sequence].ids), features_of(data, data.sequences[sequence]));
}

}  // namespace

TEST_CASE("a decoder packed in 8 bits stays near the one in float") {
  const fixture& tiny = vlm_test::tiny_fixture();
  const luq::any_codec codec = luq::int_codec<8>{.group = 128};
  const quantized_pair pair = quantize_layers(vlm_test::tiny_model(), codec, 0, 12);
  for (std::size_t s = 0; s < tiny.sequences.size(); ++s) {
    CAPTURE(s);
    const double difference = vlm_test::relative_difference(logits(pair.packed, tiny, s), tiny.sequences[s].logits);
    CHECK(difference < 0.03);
    CHECK(difference > 1e-5);  // it is quantized
  }
}

TEST_CASE("packed and unpacked weights give the same logits, codec by codec") {
  const fixture& data = vlm_test::random_fixture();  // sizes 48 and 80: ragged tiles and groups
  const char* const codecs[] = {"int2:g32", "int3:g32",    "int4:g32:sym", "int8:g0",
                                "sign:g16", "ternary:g32", "bcq2:g64",     "billm:g32"};
  for (const char* name : codecs) {
    CAPTURE(name);
    const quantized_pair pair = quantize_layers(vlm_test::random_model(), luq::parse_codec(name), 1, 3);
    const luq::matrix expected = logits(pair.unpacked, data, 0);
    CHECK(vlm_test::relative_difference(logits(pair.packed, data, 0), expected) < 1e-4);
    CHECK(vlm_test::relative_difference(expected, data.sequences[0].logits) > 1e-4);
  }
}

TEST_CASE("the bias stays when weights are packed") {
  const luq::matrix W = luq::matrix::Constant(3, 32, 0.5f);
  vlm::linear linear(std::make_shared<const luq::matrix>(W),
                     std::make_shared<const Eigen::RowVectorXf>(Eigen::RowVector3f(1, 2, 3)));
  linear.set_weights(std::make_shared<const luq::any_packed_matrix>(packed_nearest(W, luq::sign_codec{.group = 32})));
  CHECK(linear.in_features() == 32);
  CHECK(linear.out_features() == 3);
  const luq::matrix Y = linear(luq::matrix::Constant(2, 32, 1.0f));
  CHECK(Y.row(1).isApprox(Eigen::RowVector3f(17, 18, 19), 1e-5f));
  vlm_test::check_fails(luq::errc::shape_mismatch, {"expected 3 x 32", "got 3 x 16"}, [&] {
    linear.set_weights(
        std::make_shared<const luq::any_packed_matrix>(packed_nearest(W.leftCols(16), luq::sign_codec{})));
  });
}

TEST_CASE("threads that share packed weights get the same bits") {
  const fixture& data = vlm_test::random_fixture();
  const quantized_pair pair = quantize_layers(vlm_test::random_model(), luq::sign_codec{.group = 32}, 0, 3);
  luq::matrix results[2];
  std::thread other([&] { results[1] = logits(pair.packed, data, 0); });
  results[0] = logits(pair.packed, data, 0);
  other.join();
  CHECK(vlm_test::identical(results[0], results[1]));
}

TEST_CASE("int8 activations change the logits of a packed decoder by little, but change them") {
  const fixture& tiny = vlm_test::tiny_fixture();
  for (const char* name : {"int4:g128", "int8:g0", "sign:g128", "ternary:g128", "bcq2:g128", "lloyd4:g64"}) {
    CAPTURE(name);
    const vision_language_model packed = quantize_layers(vlm_test::tiny_model(), luq::parse_codec(name), 0, 12).packed;
    const vision_language_model rounded = computing(packed, {.activations = luq::activation_mode::int8});
    for (std::size_t s = 0; s < tiny.sequences.size(); ++s) {
      CAPTURE(s);
      const luq::matrix expected = logits(packed, tiny, s);
      const float difference = (logits(rounded, tiny, s) - expected).norm() / expected.norm();
      CHECK(difference < 0.02f);   // what matmul() states for one product; measured: 0.004 ... 0.012
      CHECK(difference > 0.001f);  // they are rounded
    }
  }
}

TEST_CASE("dense linears take floats whatever packed ones take") {
  const fixture& data = vlm_test::random_fixture();
  const vision_language_model& dense = vlm_test::random_model();
  const vision_language_model told = computing(dense, {.activations = luq::activation_mode::int8});
  CHECK(vlm_test::identical(logits(told, data, 0), logits(dense, data, 0)));
}

TEST_CASE("threads within a forward pass change no bit of it") {
  const fixture& data = vlm_test::random_fixture();
  const vision_language_model packed =
      quantize_layers(vlm_test::random_model(), luq::parse_codec("int4:g32"), 0, 3).packed;
  for (const auto mode : {luq::activation_mode::float32, luq::activation_mode::int8}) {
    const luq::matrix expected = logits(computing(packed, {.activations = mode}), data, 0);
    for (const int threads : {2, 3}) {
      const vision_language_model threaded = computing(packed, {.activations = mode, .executor = {.threads = threads}});
      CHECK(vlm_test::identical(logits(threaded, data, 0), expected));
    }
  }
}
