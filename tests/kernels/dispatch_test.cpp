// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/kernels/dispatch.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "luq/core/openmp_executor.hpp"
#include "luq/core/random_matrix.hpp"
#include "luq/kernels/any_matmul.hpp"
#include "packed_product.hpp"

using luq::activation_mode;
using luq::matrix;
using luq_test::expectation;
using luq_test::packed_problem;

namespace dispatch = luq::dispatch;

TEST_CASE("every implementation multiplies every codec as all others do") {
  for (const dispatch::implementation& kernels : dispatch::implementations()) {
    CAPTURE(std::string(kernels.name));
    for (const luq::index group : {luq::index{32}, luq::index{7}, luq::whole_row}) {
      for (const auto& codec : luq_test::all_codecs(group)) {
        CAPTURE(luq::codec_name(codec));
        for (const luq::index rows : {3, 66}) {
          for (const luq::index cols : {45, 288}) {
            CAPTURE(rows);
            CAPTURE(cols);
            const packed_problem problem = luq_test::make_packed_problem(codec, rows, cols, 1);
            for (const luq::index tokens : {1, 6, 32}) {
              CAPTURE(tokens);
              const matrix X = luq::random_normal_matrix(tokens, cols, luq::counter_rng(2));
              for (const activation_mode mode : {activation_mode::float32, activation_mode::int8}) {
                matrix Y = matrix::Constant(tokens, rows, luq_test::not_a_number);
                dispatch::matmul(kernels, problem.packed, X, Y, {.activations = mode});
                const expectation expected = mode == activation_mode::int8 ? luq_test::expect_rounded(problem, X)
                                                                           : luq_test::expect_float32(problem, X);
                CHECK(expected.violations(Y) == 0);
              }
            }
          }
        }
      }
    }
  }
}

TEST_CASE("implementations are listed best first, each once, and can be pinned") {
  const auto all = dispatch::implementations();
  REQUIRE(!all.empty());
  for (const dispatch::implementation& kernels : all) {
    CHECK(std::count_if(all.begin(), all.end(), [&](const auto& i) { return i.name == kernels.name; }) == 1);
    dispatch::pin(kernels.name);
    CHECK(dispatch::current().name == kernels.name);
  }
  dispatch::unpin();
  try {
    dispatch::pin("no-such-kernels");
    FAIL("a name that there is not was pinned");
  } catch (const luq::error& error) {
    CHECK(error.code() == luq::errc::invalid_argument);
    CHECK(std::string(error.what()).find("no-such-kernels") != std::string::npos);
  }
  dispatch::pin(all.back().name);
  CHECK_THROWS(dispatch::pin("no-such-kernels"));
  CHECK(dispatch::current().name == all.back().name);  // a failed pin changes nothing
  dispatch::unpin();
}

TEST_CASE("with luq::compiled a product that names no instruction set is that of the current implementation") {
  const packed_problem problem = luq_test::make_packed_problem(luq::parse_codec("int4:g32"), 130, 96, 3);
  const matrix X = luq::random_normal_matrix(5, 96, luq::counter_rng(4));
  for (const dispatch::implementation& kernels : dispatch::implementations()) {
    CAPTURE(kernels.name);
    dispatch::pin(kernels.name);
    matrix expected(5, 130);
    dispatch::matmul(kernels, problem.packed, X, expected);
    matrix Y(5, 130);
    luq::matmul(problem.packed, X, Y);
    CHECK(Y == expected);
    luq::matmul(std::get<luq::packed_matrix<luq::int_codec<4>>>(problem.packed), X, Y, {.accumulate = true});
    CHECK(Y == 2.0f * expected);
  }
  dispatch::unpin();
}

TEST_CASE("the current implementation serves any codec, with threads, bias and accumulation") {
  const packed_problem problem = luq_test::make_packed_problem(luq::parse_codec("int4:g32"), 130, 96, 3);
  const matrix X = luq::random_normal_matrix(5, 96, luq::counter_rng(4));
  const matrix bias = luq::random_normal_matrix(1, 130, luq::counter_rng(5));
  matrix plain(5, 130);
  dispatch::matmul(problem.packed, X, plain, {.activations = activation_mode::int8});
  matrix Y = matrix::Ones(5, 130);
  dispatch::matmul(problem.packed, X, Y,
                   {.activations = activation_mode::int8, .accumulate = true, .bias = bias.data()},
                   luq::openmp_executor());
  for (luq::index t = 0; t < 5; ++t) {
    for (luq::index r = 0; r < 130; ++r)
      CHECK(Y(t, r) == doctest::Approx(1.0f + bias(0, r) + plain(t, r)).epsilon(1e-5));
  }
}
