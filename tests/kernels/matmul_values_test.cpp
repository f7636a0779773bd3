// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Products with activations that no layer should have, and with none at all.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "luq/core/random_matrix.hpp"
#include "luq/kernels/dispatch.hpp"
#include "packed_product.hpp"

using luq::activation_mode;
using luq::matrix;
using luq_test::expectation;
using luq_test::packed_problem;

namespace {

constexpr std::initializer_list<activation_mode> modes{activation_mode::float32, activation_mode::int8};
constexpr float infinite = std::numeric_limits<float>::infinity();

template <class Check>
void for_each_codec_and_mode(luq::index group, Check&& check) {
  for (const auto& codec : luq_test::all_codecs(group)) {
    CAPTURE(luq::codec_name(codec));
    for (const activation_mode mode : modes) {
      CAPTURE(static_cast<int>(mode));
      check(codec, mode);
    }
  }
}

template <class Predicate>
luq::index count_if(const matrix& Y, Predicate&& predicate) {
  return std::count_if(Y.data(), Y.data() + Y.size(), predicate);
}

}  // namespace

TEST_CASE("a NaN or an infinity in any column spoils every output of its token and of no other") {
  luq_test::for_each_implementation([] {
    constexpr luq::index rows = 66;
    constexpr luq::index cols = 45;
    for_each_codec_and_mode(16, [&](const auto& codec, activation_mode mode) {
      const packed_problem problem = luq_test::make_packed_problem(codec, rows, cols, 1);
      const matrix X = luq::random_normal_matrix(6, cols, luq::counter_rng(2));
      const expectation clean =
          mode == activation_mode::int8 ? luq_test::expect_rounded(problem, X) : luq_test::expect_float32(problem, X);
      for (luq::index c = 0; c < cols; ++c) {
        CAPTURE(c);
        const luq::index nan_token = c % 6;
        const luq::index infinite_token = (c + 3) % 6;
        matrix spoilt = X;
        spoilt(nan_token, c) = luq_test::not_a_number;
        spoilt(infinite_token, c) = c % 2 == 0 ? infinite : -infinite;
        const matrix Y = luq_test::multiplied(problem.packed, spoilt, mode);
        CHECK(count_if(Y.row(nan_token), [](float y) { return std::isnan(y); }) == rows);
        CHECK(count_if(Y.row(infinite_token), [](float y) { return std::isfinite(y); }) == 0);
        CHECK(clean.violations(Y) == 2 * rows);
        CHECK(count_if(Y, [](float y) { return std::isfinite(y); }) == 4 * rows);
      }
    });
  });
}

TEST_CASE("in int8 mode an infinity is a NaN even where all weights are zero") {
  luq_test::for_each_implementation([] {
    luq::coded_matrix<luq::ternary_codec> coded({.group = 4}, 3, 8);
    for (auto& group : coded.groups) group.values = matrix::Zero(3, 1);
    matrix X = matrix::Ones(2, 8);
    X(1, 6) = infinite;
    const matrix Y = luq_test::multiplied(luq::pack(coded), X, activation_mode::int8);
    CHECK((Y.row(0).array() == 0.0f).all());
    CHECK(count_if(Y.row(1), [](float y) { return std::isnan(y); }) == 3);
  });
}

TEST_CASE("zero activations give zero exactly, whatever the other tokens are") {
  luq_test::for_each_implementation([] {
    for_each_codec_and_mode(16, [&](const auto& codec, activation_mode mode) {
      const packed_problem problem = luq_test::make_packed_problem(codec, 66, 45, 3);
      matrix X = luq::random_normal_matrix(6, 45, luq::counter_rng(4));
      X.row(0).setZero();
      X.row(3).setConstant(-0.0f);
      X.row(5).setZero();
      const matrix Y = luq_test::multiplied(problem.packed, X, mode);
      CHECK(count_if(Y, [](float y) { return y == 0.0f; }) == 3 * 66);
      for (const luq::index t : {0, 3, 5}) CHECK((Y.row(t).array() == 0.0f).all());
    });
  });
}

TEST_CASE("activations near the ends of the range of float") {
  luq_test::for_each_implementation([] {
    for_each_codec_and_mode(16, [&](const auto& codec, activation_mode mode) {
      const packed_problem problem = luq_test::make_packed_problem(codec, 66, 45, 5);
      const matrix normal = luq::random_normal_matrix(5, 45, luq::counter_rng(6));
      // At 1e-37 most scales, and at 1e-36 most activations, are denormal; at 1e33 sums come near the largest float.
      for (const float size : {1e-44f, 1e-40f, 1e-38f, 1e-37f, 1e-36f, 1e-35f, 1e-30f, 1e30f, 1e33f}) {
        CAPTURE(size);
        const matrix X = size * normal;
        const matrix Y = luq_test::multiplied(problem.packed, X, mode);
        if (mode == activation_mode::float32) {
          CHECK(luq_test::expect_float32(problem, X).violations(Y) == 0);
          continue;
        }
        CHECK(luq_test::expect_rounded(problem, X).violations(Y) == 0);
        if (size >= 1e-35f) {
          CHECK(luq_test::expect_int8(problem, X).violations(Y) == 0);
        } else if (size <= 1e-38f) {
          CHECK((Y.array() == 0.0f).all());  // the inverse of the scale is infinite: such activations are zero
        }
      }
    });
  });
}

TEST_CASE("tokens of very different size do not disturb each other") {
  luq_test::for_each_implementation([] {
    for_each_codec_and_mode(16, [&](const auto& codec, activation_mode mode) {
      const packed_problem problem = luq_test::make_packed_problem(codec, 66, 45, 7);
      matrix X = luq::random_normal_matrix(6, 45, luq::counter_rng(8));
      for (luq::index t = 0; t < 6; ++t) X.row(t) *= std::pow(10.0f, static_cast<float>(6 * t - 15));
      const matrix Y = luq_test::multiplied(problem.packed, X, mode);
      const expectation expected =
          mode == activation_mode::int8 ? luq_test::expect_int8(problem, X) : luq_test::expect_float32(problem, X);
      CHECK(expected.violations(Y) == 0);
    });
  });
}

TEST_CASE("matrices without tokens, rows or columns") {
  luq_test::for_each_implementation([] {
    for (const luq::index group : {luq::index{16}, luq::whole_row}) {
      for_each_codec_and_mode(group, [&](const auto& codec, activation_mode mode) {
        const packed_problem some = luq_test::make_packed_problem(codec, 66, 45, 9);
        CHECK(luq_test::multiplied(some.packed, matrix(0, 45), mode).rows() == 0);

        const packed_problem no_rows = luq_test::make_packed_problem(codec, 0, 45, 9);
        CHECK(luq_test::multiplied(no_rows.packed, matrix::Ones(5, 45), mode).size() == 0);

        const packed_problem no_columns = luq_test::make_packed_problem(codec, 66, 0, 9);
        CHECK((luq_test::multiplied(no_columns.packed, matrix(5, 0), mode).array() == 0.0f).all());
        matrix Y = matrix::Constant(5, 66, 3.0f);
        luq::dispatch::matmul(no_columns.packed, matrix(5, 0), Y, {.activations = mode, .accumulate = true});
        CHECK((Y.array() == 3.0f).all());

        const packed_problem nothing = luq_test::make_packed_problem(codec, 0, 0, 9);
        CHECK(luq_test::multiplied(nothing.packed, matrix(0, 0), mode).size() == 0);
      });
    }
  });
}
