// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/kernels/matmul.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "luq/core/random_matrix.hpp"
#include "luq/kernels/reference.hpp"
#include "packed_product.hpp"

using luq::activation_mode;
using luq::matrix;
using luq_test::expectation;
using luq_test::packed_problem;
using luq_test::relative_error;

namespace {

/// Products of the first n tokens of X, in both modes, for each n.
void check_products(const packed_problem& problem, const matrix& X, const std::vector<luq::index>& numbers_of_tokens) {
  for (const luq::index tokens : numbers_of_tokens) {
    CAPTURE(tokens);
    const matrix x = X.topRows(tokens);
    const expectation exact = luq_test::expect_float32(problem, x);
    const expectation rounded = luq_test::expect_rounded(problem, x);
    const expectation unrounded = luq_test::expect_int8(problem, x);
    luq_test::for_each_implementation([&] {
      const matrix in_float = luq_test::multiplied(problem.packed, x, activation_mode::float32);
      const matrix in_int8 = luq_test::multiplied(problem.packed, x, activation_mode::int8);
      CHECK(exact.violations(in_float) == 0);
      CHECK(rounded.violations(in_int8) == 0);
      CHECK(unrounded.violations(in_int8) == 0);
      // Relative to ||Y|| the promise is one about many numbers: a single one may be the remainder of large terms.
      if (tokens < 4 || luq::rows_of(problem.packed) < 63) return;
      CHECK(relative_error(in_float, exact.value) < 1e-5);
      CHECK(relative_error(in_int8, rounded.value) < (problem.rounds_levels(tokens) ? 5e-3 : 1e-5));
      CHECK(relative_error(in_int8, exact.value) < 2e-2);
    });
  }
}

void check_shape(const luq::any_codec& codec, luq::index rows, luq::index cols,
                 const std::vector<luq::index>& numbers_of_tokens) {
  CAPTURE(luq::codec_name(codec));
  CAPTURE(rows);
  CAPTURE(cols);
  const auto seed = static_cast<std::uint64_t>(1000 * rows + cols);
  const luq::index most_tokens = numbers_of_tokens.back();
  check_products(luq_test::make_packed_problem(codec, rows, cols, seed),
                 luq::random_normal_matrix(most_tokens, cols, luq::counter_rng(seed, 1000)), numbers_of_tokens);
}

constexpr std::initializer_list<luq::index> groups{1, 7, 32, 128, luq::whole_row};

}  // namespace

TEST_CASE("full and partial row tiles with ragged groups and word tails") {
  for (const luq::index group : groups) {
    for (const auto& codec : luq_test::all_codecs(group)) {
      for (const luq::index rows : {1, 2, 63, 64, 65, 130}) {
        for (const luq::index cols : {127, 128, 129, 130, 255, 256, 257, 258, 320}) check_shape(codec, rows, cols, {5});
      }
    }
  }
}

TEST_CASE("every number of columns up to 40") {
  for (const luq::index group : groups) {
    for (const auto& codec : luq_test::all_codecs(group)) {
      for (const luq::index rows : {1, 2, 3}) {
        for (luq::index cols = 1; cols <= 40; ++cols) check_shape(codec, rows, cols, {3});
      }
    }
  }
}

TEST_CASE("every number of tokens up to 9, and 33") {
  for (const luq::index group : {luq::index{7}, luq::index{128}, luq::whole_row}) {
    for (const auto& codec : luq_test::all_codecs(group)) {
      for (const luq::index rows : {1, 2, 63, 64, 65, 130}) {
        for (const luq::index cols : {19, 258}) check_shape(codec, rows, cols, {1, 2, 3, 4, 5, 6, 7, 8, 9, 33});
      }
    }
  }
}

TEST_CASE("more tokens than one pass takes") {
  for (const auto& codec : luq_test::all_codecs(32)) check_shape(codec, 70, 45, {127, 128, 129, 259, 515});
}

TEST_CASE("groups longer than a run") {
  for (const luq::index group : {255, 257, 300, 512, 600}) {
    for (const auto& codec : luq_test::all_codecs(group)) {
      for (const luq::index cols : {257, 512, 700}) check_shape(codec, 65, cols, {4});
    }
  }
}

TEST_CASE("rows as long as those of large models") {
  for (const auto& codec : luq_test::all_codecs(luq::whole_row)) check_shape(codec, 64, 11008, {4});
}

TEST_CASE("products agree with the scalar reference") {
  for (const auto& any : luq_test::all_codecs(32)) {
    CAPTURE(luq::codec_name(any));
    const packed_problem problem = luq_test::make_packed_problem(any, 130, 258, 1);
    const matrix X = luq::random_normal_matrix(9, 258, luq::counter_rng(2));
    matrix reference(9, 130);
    std::visit([&](const auto& W) { luq::matmul_reference(W, X, reference); }, problem.packed);
    const auto error = [&](activation_mode mode) {
      return relative_error(luq_test::multiplied(problem.packed, X, mode), reference.cast<double>());
    };
    luq_test::for_each_implementation([&] {
      CHECK(error(activation_mode::float32) < 1e-5);
      CHECK(error(activation_mode::int8) < 2e-2);
      CHECK(error(activation_mode::int8) > 1e-4);  // the mode is not ignored
    });
  }
}

TEST_CASE("sums over a full run of the greatest codes and activations are exact") {
  const luq::int_codec<8> codec{.group = luq::detail::longest_run, .symmetric = true};
  luq::coded_matrix<luq::int_codec<8>> coded(codec, 2, luq::detail::longest_run);
  coded.groups[0].values.resize(2, 2);
  coded.groups[0].values.col(0).setOnes();
  coded.groups[0].values.col(1).setConstant(128.0f);
  coded.codes.row(0).setConstant(255);
  coded.codes.row(1).setConstant(255);
  coded.codes(1, 7) = 254;  // the sum is odd: it would be lost above 2^24
  const matrix X = matrix::Constant(1, luq::detail::longest_run, 127.0f);
  luq_test::for_each_implementation([&] {
    const matrix Y = luq_test::multiplied(luq::pack(coded), X, activation_mode::int8);
    CHECK(Y(0, 0) == 127.0f * 127.0f * 256.0f);
    CHECK(Y(0, 1) == 127.0f * 127.0f * 256.0f - 127.0f);
  });
}
