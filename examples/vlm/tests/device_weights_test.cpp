// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Linears on a GPU compute what they compute on the CPU. Where this machine or this build has no GPU, only that is
// told.
#include <luq/core/random_matrix.hpp>
#include <luq/kernels/cuda/any_device_matrix.hpp>
#include <luq/quantizers/quantize.hpp>
#include <luq/quantizers/round_to_nearest.hpp>
#include <string>
#include <thread>

#include "app/evaluate.hpp"
#include "app_test_support.hpp"
#include "device_test_support.hpp"

using packed_pointer = std::shared_ptr<const luq::any_packed_matrix>;

namespace {

packed_pointer packed_on_heap(const luq::matrix& W, const char* codec) {
  return std::visit(
      [&](const auto& c) {
        return std::make_shared<const luq::any_packed_matrix>(luq::quantize(W, c, luq::round_to_nearest{}).packed);
      },
      luq::parse_codec(codec));
}

packed_pointer random_packed(luq::index rows, luq::index cols, const char* codec) {
  return packed_on_heap(luq::random_normal_matrix(rows, cols, luq::counter_rng(1)), codec);
}

/// A model whose decoder is packed, its layers with one codec after the other.
vlm::vision_language_model packed_copy(const vlm::vision_language_model& model,
                                       const std::vector<const char*>& codecs) {
  vlm::vision_language_model result = model;
  for (luq::index layer = 0; layer < model.config().text.layers; ++layer) {
    for (const vlm::decoder_linear which : vlm::decoder_linears) {
      const auto& W = std::get<std::shared_ptr<const luq::matrix>>(model.decoder_linear_at(layer, which).weights());
      result.set_decoder_weights(layer, which,
                                 packed_on_heap(*W, codecs[static_cast<std::size_t>(layer) % codecs.size()]));
    }
  }
  return result;
}

}  // namespace

TEST_CASE("without a GPU there is an error that says so in one line") {
  if (vlm_test::has_device()) return;
  try {
    luq::cuda::open_device();
    FAIL("no error");
  } catch (const luq::error& error) {
    const std::string message = error.what();
    CAPTURE(message);
    CHECK((error.code() == luq::errc::unsupported || error.code() == luq::errc::device_failure));
    CHECK(message.find("CUDA") != std::string::npos);
    CHECK(message.find('\n') == std::string::npos);
  }
}

TEST_CASE("a linear on the GPU multiplies as on the CPU, codec by codec") {
  if (!vlm_test::has_device()) return;
  constexpr luq::index rows = 200;  // ragged tiles and groups
  constexpr luq::index cols = 336;
  const auto bias =
      std::make_shared<const Eigen::RowVectorXf>(luq::random_normal_matrix(1, rows, luq::counter_rng(2)).row(0));
  for (const char* codec : {"int2:g32", "int3:g128", "int4:g128", "int4:g64:sym", "int8:g0", "sign:g128",
                            "ternary:g128", "bcq2:g64", "billm:g128"}) {
    CAPTURE(codec);
    const vlm::linear on_host(random_packed(rows, cols, codec), bias);
    vlm::linear on_device = on_host;
    on_device.set_weights(luq::cuda::upload(*std::get<packed_pointer>(on_host.weights())));
    CHECK(on_device.out_features() == rows);
    CHECK(on_device.in_features() == cols);
    CHECK(on_device.bytes().empty());
    for (const luq::index tokens : {0, 1, 2, 7, 16, 17, 130}) {
      CAPTURE(tokens);
      const luq::matrix wide = luq::random_normal_matrix(tokens, cols + 3, luq::counter_rng(3));
      const auto X = wide.leftCols(cols);
      const luq::matrix exact = on_host(X);
      const luq::matrix floats = on_device(X);
      const luq::matrix rounded = on_device(X, {.activations = luq::activation_mode::int8});
      REQUIRE(floats.rows() == tokens);
      REQUIRE(rounded.rows() == tokens);
      if (tokens == 0) continue;
      CHECK((floats - exact).norm() <= 1e-3f * exact.norm());
      CHECK((rounded - exact).norm() <= 2e-2f * exact.norm());
      CHECK((rounded - exact).norm() > 1e-3f * exact.norm());
    }
  }
}

TEST_CASE("codecs of tables stay on the CPU") {
  if (!vlm_test::has_device()) return;
  CHECK(luq::cuda::upload(*random_packed(64, 128, "int4:g128")) != nullptr);
  for (const char* codec : {"lloyd3:g64", "trellis1.58:g0"})
    CHECK(luq::cuda::upload(*random_packed(64, 128, codec)) == nullptr);
  vlm::vision_language_model model = packed_copy(vlm_test::random_model(), {"sign:g16", "lloyd2:g16", "int4:g16"});
  CHECK(model.move_decoder_to_device() == 2 * 7);
  CHECK(model.move_decoder_to_device() == 2 * 7);
  CHECK(std::holds_alternative<packed_pointer>(model.decoder_linear_at(1, vlm::decoder_linear::up).weights()));
}

TEST_CASE("dense linears stay on the CPU, and copies of a model where they are") {
  if (!vlm_test::has_device()) return;
  vlm::vision_language_model dense = vlm_test::random_model();
  CHECK(dense.move_decoder_to_device() == 0);
  const vlm::vision_language_model packed = packed_copy(dense, {"int8:g16"});
  vlm::vision_language_model moved = packed;
  CHECK(moved.move_decoder_to_device() == 3 * 7);
  CHECK(std::holds_alternative<packed_pointer>(packed.decoder_linear_at(0, vlm::decoder_linear::query).weights()));
}

TEST_CASE("threads that share weights on the GPU get the same bits") {
  if (!vlm_test::has_device()) return;
  const auto W = luq::cuda::upload(*random_packed(96, 256, "int4:g128"));
  constexpr luq::index tokens = 5;
  const luq::matrix X = luq::random_normal_matrix(tokens, 256, luq::counter_rng(4));
  std::vector<luq::matrix> results(4, luq::matrix::Zero(tokens, 96));
  std::vector<std::thread> threads;
  for (luq::matrix& Y : results) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        W->multiply(X.data(), X.cols(), tokens, luq::cuda::activation_bits::sixteen, Y.data());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const luq::matrix& Y : results) CHECK(vlm_test::identical(Y, results.front()));
}

TEST_CASE("a decoder on the GPU has the logits and answers of one on the CPU") {
  if (!vlm_test::has_device()) return;
  const vlm::vision_language_model packed =
      packed_copy(vlm_test::tiny_model(), {"int4:g128", "int8:g128", "int3:g128", "billm:g128", "bcq2:g64"});
  vlm::vision_language_model moved = packed;
  CHECK(moved.move_decoder_to_device() == 12 * 7);
  const vlm_test::fixture& tiny = vlm_test::tiny_fixture();
  for (std::size_t s = 0; s < tiny.sequences.size(); ++s) {
    CAPTURE(s);
    const vlm::token_sequence tokens = packed.sequence(tiny.sequences[s].ids);
    const auto* const image = vlm_test::features_of(tiny, tiny.sequences[s]);
    CHECK(vlm_test::relative_difference(moved.logits(tokens, image), packed.logits(tokens, image)) < 2e-3);
  }
  const vlm::question_set questions = vlm_test::questions_on_first_images(vlm_test::tiny_questions(), 40);
  const vlm::examination exam(packed, questions, {.threads = 4});
  CHECK(exam.take(moved).right == exam.take(packed).right);
}
