// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/quantizers/hadamard.hpp"

#include <doctest/doctest.h>

#include "codec_list.hpp"
#include "estimators/error_of.hpp"
#include "linear_problem.hpp"
#include "luq/quantizers/billm.hpp"
#include "luq/quantizers/gptq.hpp"
#include "luq/quantizers/output_error.hpp"
#include "luq/quantizers/round_to_nearest.hpp"
#include "quantize_problem.hpp"

using luq::gptq;
using luq::matrix;
using luq_test::for_each_memoryless_codec;
using luq_test::make_linear_problem;
using luq_test::quantize_transformed;

TEST_CASE("a layer whose weights have outliers loses less after a rotation") {
  // Heavy tails and white inputs: feedback has nothing to do, the codes alone decide.
  auto problem = make_linear_problem(32, 256, 10, 1);
  problem.H = matrix::Identity(256, 256);
  for (luq::index c = 5; c < 256; c += 37) problem.W.col(c) *= 12.0f;
  for_each_memoryless_codec(128, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    // A codec with column classes has a place for whole columns of outliers, which a rotation takes from it.
    if constexpr (luq::column_class_count<std::decay_t<decltype(codec)>> > 1) return;
    const matrix plain = luq_test::quantize_codes(problem.W, problem.H, codec, gptq{}).decode();
    const matrix rotated =
        quantize_transformed(problem.W, problem.H, luq::hadamard{}, codec, gptq{}, {.seed = 7}).unpack().decode();
    CHECK(luq::relative_output_error(problem.W, rotated, problem.H) <
          luq::relative_output_error(problem.W, plain, problem.H));
  });
}

TEST_CASE("the error of the rotated problem is that of the layer, with every codec and quantizer") {
  const auto problem = make_linear_problem(24, 96, 400, 2);
  const luq::hadamard_rotation rotation(96, {.seed = 2, .block = 16});
  auto turned = problem;
  rotation.transform_weights(turned.W);
  rotation.transform_activations(turned.X);
  for_each_memoryless_codec(32, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const auto check = [&](const auto& quantizer) {
      const auto result =
          quantize_transformed(problem.W, problem.H, luq::hadamard{.block = 16}, codec, quantizer, {.seed = 2});
      CHECK(dynamic_cast<const luq::hadamard_rotation&>(*result.transform()) == rotation);
      CHECK(luq_test::measured_output_error(problem, result.unpack().decode()) ==
            doctest::Approx(luq_test::measured_output_error(turned, luq_test::decode_own_basis(result))).epsilon(1e-3));
    };
    check(gptq{});
    check(luq::billm{});
    check(luq::round_to_nearest{.weighted_fit = true});
  });
}

TEST_CASE("blocks that do not fit are errors") {
  const auto problem = make_linear_problem(4, 24, 40, 3);
  CHECK(luq_test::error_of([&] {
          (void)quantize_transformed(problem.W, problem.H, luq::hadamard{.block = 16}, luq::sign_codec{.group = 8},
                                     gptq{});
        }).code() == luq::errc::invalid_argument);
}
