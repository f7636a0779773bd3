// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/quantizers/any_quantize.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "linear_problem.hpp"
#include "luq/core/openmp_executor.hpp"
#include "quantizers/codec_list.hpp"

TEST_CASE("a codec and a search that are chosen at run time give the bytes of those known while compiling") {
  const luq_test::linear_problem problem = luq_test::make_linear_problem(24, 64, 200, 1);
  luq_test::for_each_codec(32, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    for (const auto how : {luq::code_search::nearest, luq::code_search::feedback, luq::code_search::block_rule,
                           luq::code_search::best}) {
      CAPTURE(luq::code_search_name(how));
      luq::quantize_report report;
      luq::quantize_report report_of_any;
      const auto expected = luq::pack(luq::search_codes(problem.W, problem.H, codec, how, &report));
      const luq::any_packed_matrix packed =
          luq::quantize(problem.W, problem.H, luq::any_codec(codec), how, &report_of_any, luq::openmp_executor{2});
      const auto bytes = luq::bytes_of(packed);
      CHECK(std::equal(bytes.begin(), bytes.end(), expected.bytes().begin(), expected.bytes().end()));
      CHECK(report_of_any.damp == report.damp);
      CHECK(report_of_any.loss == report.loss);
    }
  });
}

TEST_CASE("only the search that needs none does without a Hessian") {
  const luq_test::linear_problem problem = luq_test::make_linear_problem(8, 32, 100, 2);
  const luq::any_codec codec = luq::int_codec<4>{.group = 32};
  const auto packed = luq::quantize(problem.W, luq::matrix(), codec, luq::code_search::nearest);
  CHECK(luq::decode(packed) ==
        luq::quantize(problem.W, luq::int_codec<4>{.group = 32}, luq::round_to_nearest{}).unpack().decode());
  for (const auto how : {luq::code_search::feedback, luq::code_search::block_rule, luq::code_search::best}) {
    CHECK_THROWS_AS(static_cast<void>(luq::quantize(problem.W, luq::matrix(), codec, how)), luq::error);
  }
}
