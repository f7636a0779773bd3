// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The order of columns that keeps to groups.
#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "codec_list.hpp"
#include "estimators/error_of.hpp"
#include "linear_problem.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/quantizers/gptq.hpp"
#include "luq/quantizers/quantize.hpp"
#include "luq/quantizers/round_to_nearest.hpp"
#include "quantize_problem.hpp"

using luq::column_order;
using luq::gptq;
using luq::matrix;
using luq_test::for_each_memoryless_codec;
using luq_test::make_linear_problem;

namespace {

/// Inputs whose sizes differ from column to column and from group to group.
luq_test::linear_problem problem_of_uneven_columns(luq::index out, luq::index in, std::uint64_t seed) {
  auto problem = make_linear_problem(out, in, 4 * in, seed);
  const luq::counter_rng rng(seed, 12);
  for (luq::index c = 0; c < in; ++c) {
    const auto group = static_cast<std::uint64_t>(1000 + c / 16);
    problem.X.col(c) *=
        static_cast<float>(std::exp(rng.normal(group) + 0.3 * rng.normal(static_cast<std::uint64_t>(c))));
  }
  problem.H = problem.X.transpose() * problem.X / static_cast<float>(4 * in);
  return problem;
}

/// The order by its definition, for whole groups before a shorter one.
std::vector<int> definition(const matrix& H, int group) {
  const int cols = static_cast<int>(H.cols());
  std::vector<int> groups(static_cast<std::size_t>(cols / group));
  std::iota(groups.begin(), groups.end(), 0);
  const auto mean = [&](int g) { return H.diagonal().segment(g * group, group).cast<double>().sum(); };
  std::stable_sort(groups.begin(), groups.end(), [&](int a, int b) { return mean(a) > mean(b); });
  if (cols % group != 0) groups.push_back(cols / group);
  std::vector<int> order;
  for (const int g : groups) {
    std::vector<int> columns(static_cast<std::size_t>(std::min(group, cols - g * group)));
    std::iota(columns.begin(), columns.end(), g * group);
    std::stable_sort(columns.begin(), columns.end(), [&](int a, int b) { return H(a, a) > H(b, b); });
    order.insert(order.end(), columns.begin(), columns.end());
  }
  return order;
}

}  // namespace

TEST_CASE("group-aware order is natural order on columns sorted group by group") {
  for (const int cols : {96, 100, 40}) {
    CAPTURE(cols);
    const auto problem = problem_of_uneven_columns(12, cols, 1);
    const std::vector<int> order = definition(problem.H, 16);
    CHECK_FALSE(std::is_sorted(order.begin(), order.end()));
    const matrix W = problem.W(Eigen::seqN(0, problem.W.rows()), order);
    const matrix H = problem.H(order, order);
    for_each_memoryless_codec(16, [&](const auto& codec) {
      CAPTURE(luq::codec_name(codec));
      const auto sorted = luq_test::quantize_codes(W, H, codec, gptq{});
      const auto aware =
          luq_test::quantize_codes(problem.W, problem.H, codec, gptq{.order = column_order::group_aware});
      luq::index equal = 0;
      for (luq::index r = 0; r < 12; ++r) {
        for (luq::index j = 0; j < cols; ++j) {
          equal += aware.codes(r, order[static_cast<std::size_t>(j)]) == sorted.codes(r, j) ? 1 : 0;
        }
      }
      // Fits sum columns in another order, which can round another way and flip a code and those after it in its row.
      CHECK(equal > 0.98 * static_cast<double>(12 * cols));
    });
  }
}

TEST_CASE("with one group it is activation order") {
  const auto problem = problem_of_uneven_columns(12, 60, 2);
  for_each_memoryless_codec(luq::whole_row, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const auto activation =
        luq_test::quantize_codes(problem.W, problem.H, codec, gptq{.order = column_order::activation});
    for (const luq::index group : {luq::whole_row, luq::index{60}, luq::index{128}}) {
      auto grouped = codec;
      grouped.group = group;
      const auto aware =
          luq_test::quantize_codes(problem.W, problem.H, grouped, gptq{.order = column_order::group_aware});
      CHECK(aware.codes == activation.codes);
    }
  });
}

TEST_CASE(
    "it loses less output than rounding, and integers less than in natural order; static groups lose what it gains for "
    "signs") {
  const auto problem = problem_of_uneven_columns(48, 96, 3);
  const auto error_with = [&](const auto& codec, const auto& quantizer) {
    return luq_test::measured_output_error(problem,
                                           luq_test::quantize_codes(problem.W, problem.H, codec, quantizer).decode());
  };
  for_each_memoryless_codec(16, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const double aware = error_with(codec, gptq{.order = column_order::group_aware});
    CHECK(aware < 0.5 * error_with(codec, luq::round_to_nearest{}));
    // These inputs are correlated from left to right, so natural order does well by the coarse codecs.
    if constexpr (requires { codec.symmetric; }) CHECK(aware < error_with(codec, gptq{}));
  });
  const luq::sign_codec sign{.group = 16};
  CHECK(error_with(sign, gptq{.order = column_order::group_aware}) <
        error_with(sign, gptq{.order = column_order::group_aware, .static_groups = true}));
}

TEST_CASE("the loss it reports is the damped output error, whatever the block") {
  const auto problem = problem_of_uneven_columns(17, 60, 4);
  Eigen::MatrixXd damped = problem.H.cast<double>();
  damped.diagonal().array() += 0.01 * damped.diagonal().mean();
  for_each_memoryless_codec(16, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    for (const luq::index block : {1, 24, 128}) {
      luq::quantize_report report;
      const gptq quantizer{.order = column_order::group_aware, .block = block};
      const matrix Q = luq_test::quantize_codes(problem.W, problem.H, codec, quantizer, &report).decode();
      const Eigen::MatrixXd E = (problem.W - Q).cast<double>();
      CHECK(report.loss == doctest::Approx((E * damped * E.transpose()).trace()).epsilon(1e-3));
    }
  });
}

TEST_CASE("group-aware order is the same bits for any number of threads, packed at once or not") {
  const auto problem = problem_of_uneven_columns(150, 72, 5);
  const gptq quantizer{.order = column_order::group_aware};
  for_each_memoryless_codec(32, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const auto serial = luq::pack(luq_test::quantize_codes(problem.W, problem.H, codec, quantizer));
    for (const int threads : {1, 2, 3}) {
      const luq::openmp_executor executor{.threads = threads};
      const luq::linear_inputs inputs(
          luq::factorize_in_order(matrix(problem.H), quantizer.factor_options_of(codec.group), executor));
      const auto result = luq::quantize({problem.W, inputs}, codec, quantizer, {.executor = executor});
      CHECK(std::ranges::equal(result.packed.bytes(), serial.bytes()));
    }
  });
}

TEST_CASE("groups that are not the codec's are errors") {
  const auto problem = problem_of_uneven_columns(4, 64, 6);
  const luq::sign_codec codec{.group = 32};
  const gptq aware{.order = column_order::group_aware};
  const auto code_with = [&](const luq::factor_options& options) {
    return luq_test::error_of([&] {
             const luq::linear_inputs inputs(luq::factorize_in_order(matrix(problem.H), options));
             (void)luq::quantize({problem.W, inputs}, codec, aware);
           })
        .code();
  };
  CHECK(code_with(aware.factor_options_of(16)) == luq::errc::invalid_argument);
  CHECK(code_with(aware.factor_options_of(-1)) == luq::errc::invalid_argument);
  CHECK(code_with({.order = column_order::activation}) == luq::errc::invalid_argument);
  CHECK(code_with({}) == luq::errc::invalid_argument);
}
