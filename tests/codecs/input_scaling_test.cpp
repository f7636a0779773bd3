// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/codecs/input_scaling.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "codec_test_support.hpp"

using luq::errc;
using luq::input_scaling;
using luq::matrix;
using luq_test::check_fails;

TEST_CASE("factors multiply inputs, divide weights, and are rounded to fp16 first") {
  const std::vector<float> factors{2.0f, 0.5f, -4.0f, 1.0f + 0x1p-12f};
  const input_scaling scaling(factors);
  CHECK(scaling.factors()[3] == 1.0f);
  CHECK(scaling.bytes() == 8);
  matrix X = matrix::Constant(1, 4, 3.0f);
  scaling.transform_activations(X);
  CHECK(X == (matrix(1, 4) << 6.0f, 1.5f, -12.0f, 3.0f).finished());
  matrix W = matrix::Constant(1, 4, 3.0f);
  scaling.transform_weights(W);
  CHECK(W == (matrix(1, 4) << 1.5f, 6.0f, -0.75f, 3.0f).finished());
  matrix H = matrix::Ones(4, 4);
  scaling.transform_hessian(H);
  CHECK(H.row(0) == (matrix(1, 4) << 4.0f, 1.0f, -8.0f, 2.0f).finished());
  CHECK(H.row(2) == (matrix(1, 4) << -8.0f, -2.0f, 16.0f, -4.0f).finished());
}

TEST_CASE("golden bytes: little-endian fp16, column by column") {
  const std::vector<float> factors{1.0f, -2.0f, 0x1p-24f};
  const input_scaling scaling(factors);
  std::vector<std::byte> bytes(6);
  scaling.pack(bytes);
  CHECK(luq_test::hex(bytes) == "00 3c 00 c0 01 00 ");
}

TEST_CASE("without factors it is the identity") {
  const matrix X = luq::random_normal_matrix(2, 9, luq::counter_rng(1));
  matrix same = X;
  input_scaling(9).transform_activations(same);
  CHECK(same == X);
  CHECK(input_scaling(9).bytes() == 18);
}

TEST_CASE("factors that fp16 cannot hold, and weights that no stored value can stand for, are errors") {
  for (const float bad : {65520.0f, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    const std::vector<float> factors{1.0f, bad};
    check_fails(errc::non_finite, "column 1", [&] { (void)input_scaling(factors); });
  }
  const std::vector<float> factors{1.0f, 0.0f};
  const input_scaling scaling(factors);
  matrix W = matrix::Ones(2, 2);
  check_fails(errc::invalid_argument, "factor 0 of column 1", [&] { scaling.transform_weights(W); });
  CHECK(W == matrix::Ones(2, 2));
  scaling.restore_weights(W);
  CHECK(W.col(1).isZero(0));

  std::vector<std::byte> bytes{std::byte{0}, std::byte{0x3c}, std::byte{0}, std::byte{0x7c}};
  check_fails(errc::corrupt_file, "got inf for column 1", [&] { (void)input_scaling::unpack(2, bytes); });
  check_fails(errc::corrupt_file, "expected 6 bytes, got 4", [&] { (void)input_scaling::unpack(3, bytes); });
}
