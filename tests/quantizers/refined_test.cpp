// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/quantizers/refined.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "codec_list.hpp"
#include "io/io_test_support.hpp"
#include "linear_problem.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/quantizers/billm.hpp"
#include "luq/quantizers/output_error.hpp"
#include "luq/quantizers/quantize.hpp"
#include "luq/quantizers/round_to_nearest.hpp"
#include "luq/templates.hpp"
#include "quantize_problem.hpp"
#include "search_result.hpp"

using luq::gptq;
using luq::matrix;
using luq::refined;
using luq_test::damped_error;
using luq_test::damped_row_error;
using luq_test::decoded;
using luq_test::for_each_memoryless_codec;
using luq_test::make_linear_problem;

TEST_CASE("every round lowers the error of every row, with every codec") {
  const auto problem = make_linear_problem(70, 100, 400, 1);
  for_each_memoryless_codec(24, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    matrix before = decoded(problem, codec, gptq{});
    for (int rounds = 1; rounds <= 4; ++rounds) {
      CAPTURE(rounds);
      const matrix after = decoded(problem, codec, refined<>{.rounds = rounds, .damp = 0.01});
      for (luq::index r = 0; r < problem.W.rows(); ++r) {
        CAPTURE(r);
        CHECK(damped_row_error(problem, after, r) <= damped_row_error(problem, before, r) * (1 + 1e-5) + 1e-12);
      }
      before = after;
    }
  });
}

TEST_CASE("it gains most where codes are few, and from any start") {
  const auto problem = make_linear_problem(48, 128, 600, 2);
  const auto gain = [&](const auto& codec, const auto& start, const auto& better) {
    return luq_test::measured_output_error(problem, decoded(problem, codec, better)) /
           luq_test::measured_output_error(problem, decoded(problem, codec, start));
  };
  const luq::sign_codec sign{.group = 32};
  const luq::int_codec<4> int4{.group = 32};
  const gptq activation{.order = luq::column_order::activation};
  CHECK(gain(sign, activation, refined<>{.start = activation}) < 0.8);
  CHECK(gain(int4, activation, refined<>{.start = activation}) < 1.0);
  CHECK(gain(sign, luq::round_to_nearest{}, refined<luq::round_to_nearest>{}) < 0.5);
  CHECK(gain(luq::billm_codec{.group = 32}, luq::billm{}, refined<luq::billm>{}) < 0.8);
}

TEST_CASE("the scales of unchanged codes are the least-squares solution") {
  // One row, so that the normal equations can be written down: scales of two groups of a sign code.
  auto problem = make_linear_problem(1, 8, 100, 3);
  const luq::basic_sign_codec<float> codec{.group = 4};
  const auto start = luq_test::quantize_codes(problem.W, problem.H, codec, gptq{});
  const auto result =
      luq_test::quantize_codes(problem.W, problem.H, codec, refined<>{.rounds = 1, .sweeps = 0, .damp = 0});
  CHECK(result.codes == start.codes);
  Eigen::MatrixXd D = Eigen::MatrixXd::Zero(8, 2);
  for (int c = 0; c < 8; ++c) D(c, c / 4) = start.codes(0, c) != 0 ? 1 : -1;
  const Eigen::MatrixXd H = problem.H.cast<double>();
  const Eigen::VectorXd w = problem.W.row(0).cast<double>().transpose();
  const Eigen::Vector2d expected = (D.transpose() * H * D).ldlt().solve(D.transpose() * H * w);
  REQUIRE(expected.minCoeff() > 0);
  CHECK(static_cast<double>(result.groups[0].values(0, 0)) == doctest::Approx(expected[0]).epsilon(1e-4));
  CHECK(static_cast<double>(result.groups[1].values(0, 0)) == doctest::Approx(expected[1]).epsilon(1e-4));
}

TEST_CASE("with so many scales that rows are solved a few at a time, each row is still solved") {
  const auto problem = make_linear_problem(64, 400, 500, 11);  // 200 scales a row
  const luq::sign_codec codec{.group = 2};
  const matrix before = decoded(problem, codec, gptq{});
  const matrix after = decoded(problem, codec, refined<>{.rounds = 1, .sweeps = 0});
  for (luq::index r = 0; r < problem.W.rows(); ++r) {
    CAPTURE(r);
    CHECK(damped_row_error(problem, after, r) < damped_row_error(problem, before, r));
  }
}

TEST_CASE("codes of fixed scales end where no single change helps") {
  const auto problem = make_linear_problem(5, 40, 300, 4);
  for_each_memoryless_codec(20, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const refined<> many{.rounds = 40, .sweeps = 40, .damp = 0.01};
    auto result = luq_test::quantize_codes(problem.W, problem.H, codec, many);
    const double error = damped_error(problem, result.decode());
    int better = 0;
    for (luq::index i = 0; i < result.codes.size(); ++i) {
      const luq::code kept = result.codes.data()[i];
      for (int q = 0; q < luq::levels<std::decay_t<decltype(codec)>>(); q += 1) {
        result.codes.data()[i] = static_cast<luq::code>(q);
        better += damped_error(problem, result.decode()) < error * (1 - 1e-4) ? 1 : 0;
      }
      result.codes.data()[i] = kept;
    }
    CHECK(better == 0);
  });
}

TEST_CASE("no rounds, no sweeps: what the start quantizer chose") {
  const auto problem = make_linear_problem(9, 33, 100, 5);
  for_each_memoryless_codec(16, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const auto start = luq_test::quantize_codes(problem.W, problem.H, codec, gptq{});
    const auto none = luq_test::quantize_codes(problem.W, problem.H, codec, refined<>{.rounds = 0});
    CHECK(none.codes == start.codes);
    CHECK(none.decode() == start.decode());
  });
}

TEST_CASE("what is refined is what is stored") {
  const auto problem = make_linear_problem(65, 70, 200, 6);
  for_each_memoryless_codec(32, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const auto result = luq_test::quantize_codes(problem.W, problem.H, codec, refined<>{});
    CHECK(luq::pack(result).unpack().decode() == result.decode());
  });
}

TEST_CASE("the result is the same bits for any number of threads") {
  const auto problem = make_linear_problem(200, 70, 300, 7);
  for_each_memoryless_codec(32, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const auto serial = luq_test::quantize_codes(problem.W, problem.H, codec, refined<>{});
    for (const int threads : {1, 2, 3}) {
      const auto parallel = luq_test::quantize_codes(problem.W, problem.H, codec, refined<>{}, nullptr,
                                                     luq::openmp_executor{.threads = threads});
      CHECK(parallel.codes == serial.codes);
      CHECK(parallel.decode() == serial.decode());
    }
  });
}

TEST_CASE("dead columns, zero rows, tiny shapes") {
  auto problem = make_linear_problem(6, 32, 100, 8);
  problem.X.col(5).setZero();
  problem.H = problem.X.transpose() * problem.X / 100.0f;
  problem.W.row(2).setZero();
  for_each_memoryless_codec(16, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const matrix Q = decoded(problem, codec, refined<>{});
    CHECK(Q.allFinite());
    CHECK(Q.row(2).isZero(0.0f));
    for (const auto& [rows, cols] : {std::pair<int, int>{1, 1}, {1, 2}, {3, 1}, {0, 4}}) {
      CHECK(decoded(make_linear_problem(rows, cols, 20, 9), codec, refined<>{}).allFinite());
    }
  });
}

TEST_CASE("a group of dead inputs does not change what the other groups become") {
  const auto alone = make_linear_problem(40, 32, 100, 12);
  auto problem = make_linear_problem(40, 64, 100, 13);
  problem.W.leftCols(32) = alone.W;
  problem.H.setZero();
  problem.H.topLeftCorner(32, 32) = alone.H;
  const luq::sign_codec codec{.group = 32};
  for (const gptq& start : {gptq{}, gptq{.damping = {.first = 0.5}}}) {
    const refined<gptq> search{.start = start, .damp = 0.5};
    const matrix Q = decoded(problem, codec, search);
    CHECK(Q.leftCols(32) == decoded(alone, codec, search));
    CHECK(Q.leftCols(32) != decoded(alone, codec, refined<gptq>{.start = start, .damp = 0.25}));
  }
}

TEST_CASE("options out of range") {
  const auto problem = make_linear_problem(2, 4, 20, 10);
  for (const refined<>& wrong : {refined<>{.rounds = -1}, refined<>{.sweeps = -1}, refined<>{.damp = -0.1},
                                 refined<>{.damp = std::numeric_limits<double>::quiet_NaN()}}) {
    luq_test::check_fails(luq::errc::invalid_argument, "refined: expected rounds, sweeps and damp >= 0",
                          [&] { (void)luq_test::quantize_codes(problem.W, problem.H, luq::sign_codec{}, wrong); });
  }
}
