// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Hard inputs and random shapes for the searches that go beyond one pass: refinement and beam search.
#include <doctest/doctest.h>

#include <limits>
#include <string>

#include "estimators/error_of.hpp"
#include "io/io_test_support.hpp"
#include "linear_problem.hpp"
#include "luq/codecs/billm_codec.hpp"
#include "luq/codecs/int_codec.hpp"
#include "luq/codecs/lloyd_codec.hpp"
#include "luq/codecs/sign_codec.hpp"
#include "luq/codecs/trellis_codec.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/quantizers/beam_search.hpp"
#include "luq/quantizers/output_error.hpp"
#include "luq/quantizers/quantize.hpp"
#include "luq/quantizers/refined.hpp"
#include "luq/quantizers/round_to_nearest.hpp"
#include "luq/templates.hpp"
#include "quantize_problem.hpp"

using luq::beam_search;
using luq::matrix;
using luq::refined;
using luq_test::make_linear_problem;

namespace {

/// Calls check(codec, search) for a few of each, quick enough to be called often.
template <class Check>
void for_each_search(luq::index group, Check&& check) {
  const beam_search beam{.beams = 5, .rounds = 1};
  check(luq::sign_codec{.group = group}, beam);
  check(luq::trellis_codec<3>{.group = group}, beam);
  check(luq::billm_codec{.group = group}, beam);
  const refined<> refinement{.rounds = 2};
  check(luq::sign_codec{.group = group}, refinement);
  check(luq::int_codec<3>{.group = group}, refinement);
  check(luq::billm_codec{.group = group}, refinement);
  check(luq::lloyd_codec<4>{.group = group}, refined<beam_search>{.start = beam, .rounds = 1});
}

}  // namespace

TEST_CASE("random shapes: finite weights, packed without loss, the same bits for any threads, better than nothing") {
  for (std::uint64_t seed = 0; seed < 24; ++seed) {
    const luq::counter_rng rng(seed, 78);
    const auto pick = [&](std::uint64_t draw, luq::index most) {
      return 1 + static_cast<luq::index>(rng.below(draw, static_cast<std::uint64_t>(most)));
    };
    const luq::index small = seed % 6 == 0 ? 300 : 50;
    const luq::index rows = pick(0, small);
    const luq::index cols = pick(1, small);
    const luq::index tokens = pick(2, 300);  // often fewer than inputs
    CAPTURE(rows);
    CAPTURE(cols);
    CAPTURE(tokens);
    const auto problem = make_linear_problem(rows, cols, tokens, seed);
    for_each_search(pick(3, 2 * cols), [&](const auto& codec, const auto& search) {
      CAPTURE(luq::codec_name(codec));
      const auto codes = luq_test::quantize_codes(problem.W, problem.H, codec, search);
      const matrix Q = codes.decode();
      REQUIRE(Q.rows() == rows);
      REQUIRE(Q.cols() == cols);
      CHECK(Q.allFinite());
      CHECK(luq::relative_output_error(problem.W, Q, problem.H) < 1.0);
      CHECK(luq::pack(codes).unpack().decode() == Q);
      const auto parallel =
          luq_test::quantize_codes(problem.W, problem.H, codec, search, nullptr, luq::openmp_executor{.threads = 3});
      CHECK(parallel.codes == codes.codes);
      CHECK(parallel.decode() == Q);
    });
  }
}

TEST_CASE("weights or Hessians that are not finite, and a Hessian that stays indefinite, are errors") {
  const auto problem = make_linear_problem(5, 20, 60, 1);
  for_each_search(8, [&](const auto& codec, const auto& search) {
    CAPTURE(luq::codec_name(codec));
    const auto error_with = [&](const matrix& W, const matrix& H) {
      return luq_test::error_of([&] { (void)luq_test::quantize_codes(W, H, codec, search); });
    };
    matrix W = problem.W;
    W(3, 7) = std::numeric_limits<float>::quiet_NaN();
    CHECK(error_with(W, problem.H).code() == luq::errc::non_finite);
    matrix H = problem.H;
    H(2, 2) = std::numeric_limits<float>::infinity();
    CHECK(error_with(problem.W, H).code() == luq::errc::non_finite);
    H = problem.H;
    H(0, 1) = H(1, 0) = 100 * H.diagonal().sum();
    CHECK(error_with(problem.W, H).code() == luq::errc::indefinite_hessian);
    CHECK(error_with(problem.W, matrix::Identity(19, 19)).code() == luq::errc::shape_mismatch);
  });
}

TEST_CASE("denormal weights and activations give finite results") {
  auto problem = make_linear_problem(9, 40, 100, 2);
  const matrix tiny = problem.W * std::numeric_limits<float>::denorm_min() * 64;
  for_each_search(16, [&](const auto& codec, const auto& search) {
    CAPTURE(luq::codec_name(codec));
    const matrix small_weights = luq_test::quantize_codes(tiny, problem.H, codec, search).decode();
    CHECK((small_weights.array().abs() < 1e-6f).all());
    const matrix small_inputs = luq_test::quantize_codes(problem.W, problem.H * 1e-36f, codec, search).decode();
    CHECK(small_inputs.allFinite());
  });
}

TEST_CASE("a linear whose inputs are all dead is an error, also where refinement begins with what needs no Hessian") {
  const auto problem = make_linear_problem(9, 40, 100, 3);
  const auto check = [&](const auto& codec, const auto& search) {
    CAPTURE(luq::codec_name(codec));
    luq_test::check_fails(luq::errc::insufficient_data, "Hessian of 40 inputs: expected one at least",
                          [&] { (void)luq_test::quantize_codes(problem.W, matrix::Zero(40, 40), codec, search); });
  };
  for_each_search(16, check);
  check(luq::sign_codec{.group = 16}, refined<luq::round_to_nearest>{});
}
