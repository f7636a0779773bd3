// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/codecs/hadamard_rotation.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <vector>

#include "codec_test_support.hpp"
#include "luq/codecs/detail/walsh_hadamard.hpp"

using luq::errc;
using luq::hadamard_rotation;
using luq::matrix;
using luq_test::check_fails;

namespace {

/// T [in x in], from its definition.
Eigen::MatrixXd definition(luq::index in, luq::index block, std::uint64_t seed) {
  Eigen::MatrixXd T = Eigen::MatrixXd::Zero(in, in);
  const luq::counter_rng rng(seed, 0x4861646d);
  for (luq::index i = 0; i < in; ++i) {
    for (luq::index j = 0; j < in; ++j) {
      if (i / block != j / block) continue;
      const auto row = static_cast<unsigned>(i % block);
      const auto column = static_cast<unsigned>(j % block);
      const double h = std::popcount(row & column) % 2 == 0 ? 1 : -1;
      const auto place = static_cast<std::uint64_t>(j);
      const double sign = (rng.bits(place / 64) >> (place % 64)) % 2 == 1 ? 1 : -1;
      T(i, j) = h * sign / std::sqrt(static_cast<double>(block));
    }
  }
  return T;
}

/// T by transforming the unit vectors.
Eigen::MatrixXd measured(const hadamard_rotation& rotation) {
  matrix X = matrix::Identity(rotation.in_features(), rotation.in_features());
  rotation.transform_activations(X);
  return X.transpose().cast<double>();
}

}  // namespace

TEST_CASE("it is its definition, and orthonormal, for every number of columns up to 64 and every block") {
  for (luq::index in = 1; in <= 64; ++in) {
    for (luq::index block = 1; in % block == 0; block *= 2) {
      CAPTURE(in);
      CAPTURE(block);
      const auto seed = static_cast<std::uint64_t>(100 * in + block);
      const hadamard_rotation rotation(in, {.seed = seed, .block = block});
      const Eigen::MatrixXd T = measured(rotation);
      CHECK((T - definition(in, block, seed)).cwiseAbs().maxCoeff() < 1e-7);
      CHECK((T * T.transpose() - Eigen::MatrixXd::Identity(in, in)).cwiseAbs().maxCoeff() < 1e-6);
    }
  }
}

TEST_CASE("large blocks, with an odd and an even number of stages, agree with the definition") {
  for (const luq::index in : {128, 256, 512, 1024, 320, 768}) {
    CAPTURE(in);
    const hadamard_rotation rotation(in, {.seed = 9});
    CHECK((measured(rotation) - definition(in, rotation.block(), 9)).cwiseAbs().maxCoeff() < 1e-7);
  }
}

TEST_CASE("the unnormalised transform of small integers is exact") {
  for (luq::index n = 1; n <= 4096; n *= 2) {
    CAPTURE(n);
    std::vector<float> x(static_cast<std::size_t>(n));
    for (luq::index c = 0; c < n; ++c) x[static_cast<std::size_t>(c)] = static_cast<float>(c * 37 % 101 - 50);
    const std::vector<float> before = x;
    luq::detail::walsh_hadamard(x.data(), n);
    for (const luq::index i : {luq::index{0}, n / 3, n / 2, n - 1}) {
      double sum = 0;
      for (luq::index j = 0; j < n; ++j) {
        const int ones = std::popcount(static_cast<std::uint64_t>(i & j));
        sum += (ones % 2 == 0 ? 1.0 : -1.0) * static_cast<double>(before[static_cast<std::size_t>(j)]);
      }
      CHECK(static_cast<double>(x[static_cast<std::size_t>(i)]) == sum);
    }
    luq::detail::walsh_hadamard(x.data(), n);  // H H = n I
    for (std::size_t c = 0; c < x.size(); ++c) CHECK(x[c] == static_cast<float>(n) * before[c]);
  }
}

TEST_CASE("the block is the largest power of two that divides the columns") {
  CHECK(hadamard_rotation::largest_block(4096) == 4096);
  CHECK(hadamard_rotation::largest_block(11008) == 256);
  CHECK(hadamard_rotation::largest_block(18944) == 512);
  CHECK(hadamard_rotation::largest_block(320) == 64);
  CHECK(hadamard_rotation::largest_block(77) == 1);
  CHECK(hadamard_rotation::largest_block(0) == 1);
  CHECK(hadamard_rotation(320).block() == 64);
  CHECK(hadamard_rotation(320, {.block = 16}).block() == 16);
}

TEST_CASE("an outlier is spread evenly over its block, and energy is kept") {
  matrix X = matrix::Zero(1, 11008);
  X(0, 300) = 16.0f;
  hadamard_rotation(11008, {.seed = 4}).transform_activations(X);
  CHECK((X.middleCols(256, 256).array().abs() == 1.0f).all());
  CHECK(X.leftCols(256).isZero(0));
  CHECK(X.rightCols(11008 - 512).isZero(0));
}

TEST_CASE("another seed is another rotation; signs are balanced and independent of the number of columns") {
  matrix A = matrix::Ones(1, 4096);
  matrix B = A;
  matrix C = matrix::Ones(1, 1000);
  // Blocks of one column: the signs themselves.
  hadamard_rotation(4096, {.seed = 1, .block = 1}).transform_activations(A);
  hadamard_rotation(4096, {.seed = 2, .block = 1}).transform_activations(B);
  hadamard_rotation(1000, {.seed = 1, .block = 1}).transform_activations(C);
  CHECK(std::abs(A.sum()) < 4 * 64.0f);  // four standard deviations
  CHECK(std::abs(A.cwiseProduct(B).sum()) < 4 * 64.0f);
  CHECK(C == matrix(A.leftCols(1000)));
}

TEST_CASE("golden bytes and golden signs") {
  const hadamard_rotation rotation(48, {.seed = 0x0123456789abcdef});
  std::vector<std::byte> bytes(static_cast<std::size_t>(rotation.bytes()));
  rotation.pack(bytes);
  CHECK(luq_test::hex(bytes) == "ef cd ab 89 67 45 23 01 10 00 00 00 ");
  matrix X = matrix::Ones(1, 16);
  hadamard_rotation(16, {.seed = 0x0123456789abcdef, .block = 1}).transform_activations(X);
  std::string signs;
  for (luq::index c = 0; c < 16; ++c) signs += X(0, c) > 0 ? '+' : '-';
  CHECK(signs == "----++--++++-+-+");
}

TEST_CASE("blocks that fit nothing are errors") {
  for (const luq::index block : {-8, 3, 12, 128}) {
    CAPTURE(block);
    check_fails(errc::invalid_argument, "power of two", [&] { (void)hadamard_rotation(192, {.block = block}); });
  }
  std::vector<std::byte> bytes(12);
  hadamard_rotation(64).pack(bytes);
  check_fails(errc::corrupt_file, "power of two", [&] { (void)hadamard_rotation::unpack(96, bytes); });
  bytes[8] = std::byte{0};
  check_fails(errc::corrupt_file, "power of two", [&] { (void)hadamard_rotation::unpack(64, bytes); });
  check_fails(errc::corrupt_file, "expected 12 bytes, got 0", [&] { (void)hadamard_rotation::unpack(64, {}); });
}
