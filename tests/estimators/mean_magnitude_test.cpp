// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/estimators/mean_magnitude.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

#include "error_of.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/core/random_matrix.hpp"

using luq::matrix;
using luq::mean_magnitude;
using luq_test::error_of;

namespace {

std::vector<float> means_of(const matrix& X) {
  mean_magnitude m(X.cols());
  m.add(X);
  return m.values();
}

}  // namespace

TEST_CASE("it is the mean of magnitudes, column by column") {
  const matrix X = (matrix(3, 2) << 1.0f, -4.0f, -2.0f, 0.0f, 6.0f, 1.0f).finished();
  mean_magnitude m(2);
  CHECK(m.values() == std::vector<float>{0.0f, 0.0f});
  m.add(X);
  CHECK(m.values() == std::vector<float>{3.0f, 5.0f / 3.0f});
  CHECK(m.tokens() == 3);
  CHECK(m.in_features() == 2);
}

TEST_CASE("weights count, and padding and tokens of weight zero do not, whatever they hold") {
  matrix X = (matrix(3, 2) << 1.0f, -4.0f, -2.0f, 0.0f, 6.0f, 1.0f).finished();
  X(1, 0) = std::numeric_limits<float>::quiet_NaN();
  mean_magnitude weighted(2);
  weighted.add(X, std::vector<float>{3.0f, 0.0f, 1.0f});
  CHECK(weighted.values() == std::vector<float>{9.0f / 4, 13.0f / 4});
  CHECK(weighted.tokens() == 2);
  mean_magnitude classes(2);
  classes.add(
      X, std::vector<luq::token_class>{luq::token_class::text, luq::token_class::padding, luq::token_class::image});
  CHECK(classes.values() == std::vector<float>{3.5f, 2.5f});
}

TEST_CASE("parts and their merger are the whole; threads change no bit") {
  const matrix X = luq::random_normal_matrix(100, 600, luq::counter_rng(1));
  mean_magnitude first(600);
  mean_magnitude second(600);
  first.add(X.topRows(37));
  second.add(X.bottomRows(63));
  first.merge(second);
  CHECK(first.tokens() == 100);
  const std::vector<float> whole = means_of(X);
  for (std::size_t c = 0; c < whole.size(); ++c) CHECK(first.values()[c] == doctest::Approx(whole[c]).epsilon(1e-6));
  for (const int threads : {1, 2, 3}) {
    mean_magnitude parallel(600);
    parallel.add(X, luq::openmp_executor{.threads = threads});
    CHECK(parallel.values() == whole);
  }
}

TEST_CASE("bad data are errors, and nothing is added then") {
  mean_magnitude m(2);
  matrix X = matrix::Ones(3, 2);
  X(2, 1) = std::numeric_limits<float>::infinity();
  const luq::error error = error_of([&] { m.add(X); });
  CHECK(error.code() == luq::errc::non_finite);
  CHECK(std::string(error.what()).find("token 2") != std::string::npos);
  CHECK(error_of([&] { m.add(matrix::Ones(3, 3)); }).code() == luq::errc::shape_mismatch);
  CHECK(error_of([&] { m.add(matrix::Ones(3, 2), std::vector<float>{1.0f}); }).code() == luq::errc::shape_mismatch);
  CHECK(error_of([&] { m.add(matrix::Ones(1, 2), std::vector<float>{-1.0f}); }).code() == luq::errc::invalid_argument);
  CHECK(error_of([&] { m.merge(mean_magnitude(3)); }).code() == luq::errc::shape_mismatch);
  CHECK(m.tokens() == 0);
  CHECK(m.values() == std::vector<float>{0.0f, 0.0f});
}
