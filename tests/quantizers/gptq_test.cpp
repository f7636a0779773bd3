// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/quantizers/gptq.hpp"

#include <doctest/doctest.h>

#include <string>

#include "codec_list.hpp"
#include "linear_problem.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/quantizers/quantize.hpp"
#include "luq/quantizers/round_to_nearest.hpp"
#include "quantize_problem.hpp"
#include "search_result.hpp"

using luq::gptq;
using luq::matrix;
using luq_test::decoded;
using luq_test::for_each_memoryless_codec;
using luq_test::make_linear_problem;

TEST_CASE("column feedback loses less output than rounding, with every codec and in both orders") {
  const auto problem = make_linear_problem(48, 96, 400, 1);
  for_each_memoryless_codec(32, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const double nearest = luq_test::measured_output_error(problem, decoded(problem, codec, luq::round_to_nearest{}));
    const double natural = luq_test::measured_output_error(problem, decoded(problem, codec, gptq{}));
    const double activation =
        luq_test::measured_output_error(problem, decoded(problem, codec, gptq{.order = luq::column_order::activation}));
    CHECK(natural < 0.7 * nearest);
    CHECK(activation < 0.7 * nearest);
  });
}

TEST_CASE("on white inputs there is nothing to feed back, and GPTQ is round-to-nearest") {
  auto problem = make_linear_problem(20, 64, 10, 2);
  problem.H = matrix::Identity(64, 64);
  for_each_memoryless_codec(16, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    if constexpr (luq::column_class_count<std::decay_t<decltype(codec)>> == 1) {
      CHECK(decoded(problem, codec, gptq{}) == decoded(problem, codec, luq::round_to_nearest{}));
    }
  });
}

TEST_CASE("the block size does not change the codes") {
  const auto problem = make_linear_problem(33, 100, 300, 3);
  for_each_memoryless_codec(24, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const auto reference = luq_test::quantize_codes(problem.W, problem.H, codec, gptq{}).codes;
    for (const luq::index block : {1, 5, 24, 48, 1000}) {
      CAPTURE(block);
      const auto codes = luq_test::quantize_codes(problem.W, problem.H, codec, gptq{.block = block}).codes;
      // Another order of summation may flip a weight that lies on a rounding boundary, and those after it in its row.
      CHECK((codes.array() == reference.array()).count() > 0.99 * static_cast<double>(codes.size()));
    }
  });
}

TEST_CASE("the reported loss is the damped output error of the result") {
  const auto problem = make_linear_problem(17, 60, 300, 4);
  Eigen::MatrixXd damped = problem.H.cast<double>();
  damped.diagonal().array() += 0.01 * damped.diagonal().mean();
  for_each_memoryless_codec(20, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    for (const auto order : {luq::column_order::natural, luq::column_order::activation}) {
      luq::quantize_report report;
      const matrix Q = luq_test::quantize_codes(problem.W, problem.H, codec, gptq{.order = order}, &report).decode();
      const Eigen::MatrixXd E = (problem.W - Q).cast<double>();
      CHECK(report.loss == doctest::Approx((E * damped * E.transpose()).trace()).epsilon(1e-3));
    }
  });
}

TEST_CASE("activation order is natural order on columns sorted by their Hessian diagonal") {
  const auto problem = make_linear_problem(12, 40, 200, 5);
  std::vector<int> by_diagonal(40);
  std::iota(by_diagonal.begin(), by_diagonal.end(), 0);
  std::stable_sort(by_diagonal.begin(), by_diagonal.end(),
                   [&](int a, int b) { return problem.H(a, a) > problem.H(b, b); });
  const matrix W = problem.W(Eigen::seqN(0, problem.W.rows()), by_diagonal);
  const matrix H = problem.H(by_diagonal, by_diagonal);
  const luq::int_codec<3> codec{.group = luq::whole_row};
  const matrix sorted = luq_test::quantize_codes(W, H, codec, gptq{.static_groups = true}).decode();
  const matrix ordered = decoded(problem, codec, gptq{.order = luq::column_order::activation});
  CHECK(matrix(ordered(Eigen::seqN(0, ordered.rows()), by_diagonal)) == sorted);
}

TEST_CASE("the result is the same bits for any number of threads") {
  const auto problem = make_linear_problem(200, 70, 300, 6);
  for_each_memoryless_codec(32, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    luq::quantize_report serial_report;
    const auto serial = luq_test::quantize_codes(problem.W, problem.H, codec, gptq{}, &serial_report);
    for (const int threads : {1, 2, 3}) {
      luq::quantize_report report;
      const auto parallel = luq_test::quantize_codes(problem.W, problem.H, codec, gptq{}, &report,
                                                     luq::openmp_executor{.threads = threads});
      CHECK(parallel.codes == serial.codes);
      CHECK(parallel.decode() == serial.decode());
      CHECK(report.loss == serial_report.loss);
    }
  });
}

TEST_CASE("dead columns are reported, set to zero and cost nothing") {
  auto problem = make_linear_problem(8, 32, 100, 7);
  problem.X.col(5).setZero();
  problem.H = problem.X.transpose() * problem.X / 100.0f;
  luq::quantize_report report;
  const luq::int_codec<4> codec{.group = 16};
  const matrix Q = luq_test::quantize_codes(problem.W, problem.H, codec, gptq{}, &report).decode();
  CHECK(report.dead_columns == 1);
  CHECK(Q.col(5).isZero(0.0f));
  CHECK(luq_test::measured_output_error(problem, Q) < 0.02);
}

TEST_CASE("a group that begins inside a block is fitted to current weights unless asked otherwise") {
  const auto problem = make_linear_problem(16, 64, 300, 8);
  const luq::int_codec<2> codec{.group = 16};
  const auto current = luq_test::quantize_codes(problem.W, problem.H, codec, gptq{.block = 64});
  const auto stale =
      luq_test::quantize_codes(problem.W, problem.H, codec, gptq{.fit = luq::group_fit::block_start, .block = 64});
  CHECK(current.groups[0].values == stale.groups[0].values);
  CHECK(current.groups[1].values != stale.groups[1].values);
  // With one block for all columns, block_start sees the weights as given.
  CHECK(stale.groups[3].values == luq::fit_group(codec, problem.W.middleCols(48, 16), {}).values);
}

TEST_CASE("tiny and empty shapes") {
  for (const auto& shape : {std::pair<int, int>{1, 1}, {1, 2}, {3, 1}, {0, 4}}) {
    const int rows = shape.first;
    const int cols = shape.second;
    CAPTURE(rows);
    CAPTURE(cols);
    const auto problem = make_linear_problem(rows, cols, 20, 9);
    for_each_memoryless_codec(128, [&](const auto& codec) {
      CAPTURE(luq::codec_name(codec));
      const auto result = luq_test::quantize_codes(problem.W, problem.H, codec, gptq{});
      CHECK(result.codes.rows() == rows);
      CHECK(result.decode().allFinite());
      CHECK(luq::pack(result).unpack().codes == result.codes);
    });
  }
}

TEST_CASE("options outside their range are errors") {
  const auto problem = make_linear_problem(2, 4, 20, 10);
  CHECK_THROWS_AS((void)luq_test::quantize_codes(problem.W, problem.H, luq::sign_codec{}, gptq{.block = 0}),
                  luq::error);
}
