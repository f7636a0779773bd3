// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/estimators/norm_weights.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "error_of.hpp"
#include "luq/codecs/int_codec.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/core/random.hpp"
#include "luq/core/random_matrix.hpp"
#include "luq/estimators/hessian.hpp"
#include "luq/quantizers/gptq.hpp"
#include "luq/quantizers/quantize.hpp"

using luq::matrix;
using luq::norm_weights;
using luq::token_class;
using luq_test::error_of;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

/// Tokens of width 2 with these norms.
matrix tokens_of_norms(const std::vector<float>& norms) {
  matrix X(static_cast<luq::index>(norms.size()), 2);
  for (luq::index t = 0; t < X.rows(); ++t)
    X.row(t) << 0.6f * norms[static_cast<std::size_t>(t)], -0.8f * norms[static_cast<std::size_t>(t)];
  return X;
}

/// Tokens whose norms spread over a thousandfold range.
matrix tokens_of_many_norms(luq::index tokens, luq::index width) {
  matrix X = luq::random_normal_matrix(tokens, width, luq::counter_rng(5));
  for (luq::index t = 0; t < tokens; ++t) X.row(t) *= std::exp2(static_cast<float>(t * 7 % 11) - 5.0f);
  return X;
}

/// Correlated inputs, `massive` of them, evenly spread, with a channel at 3000.
matrix inputs_with_massive_tokens(luq::index tokens, luq::index massive, std::uint64_t seed) {
  matrix X = luq::random_normal_matrix(tokens, 256, luq::counter_rng(seed));
  for (luq::index c = 1; c < X.cols(); ++c) X.col(c) = 0.8f * X.col(c - 1) + 0.6f * X.col(c);
  for (luq::index i = 0; i < massive; ++i) X(i * (tokens / massive), 100) = 3000.0f;
  return X;
}

double relative_output_error(const matrix& W, const matrix& Q, const matrix& X) {
  const matrix exact = X * W.transpose();
  return static_cast<double>((X * Q.transpose() - exact).squaredNorm() / exact.squaredNorm());
}

}  // namespace

TEST_CASE("a token longer than the clip counts as one of that length") {
  const matrix X = tokens_of_norms({1, 2, 40, 3, 10});  // the median is 3
  const std::vector<float> lambda = norm_weights(X, 2.0);
  CHECK(lambda[0] == 1.0f);
  CHECK(lambda[1] == 1.0f);
  CHECK(lambda[2] == doctest::Approx(36.0 / 1600.0));
  CHECK(lambda[3] == 1.0f);
  CHECK(lambda[4] == doctest::Approx(36.0 / 100.0));
  CHECK(norm_weights(X, 1.0)[2] == doctest::Approx(9.0 / 1600.0));
  CHECK(norm_weights(X) == std::vector<float>{1, 1, norm_weights(X, 10.0)[2], 1, 1});
  CHECK(norm_weights(X)[2] == doctest::Approx(30.0 * 30.0 / 1600.0));
  CHECK(norm_weights(X, std::numeric_limits<double>::infinity()) == std::vector<float>(5, 1.0f));
}

TEST_CASE("the median of an even number of tokens is the lower one in the middle") {
  CHECK(norm_weights(tokens_of_norms({100, 1}), 10.0)[0] == doctest::Approx(0.01));
  CHECK(norm_weights(tokens_of_norms({4, 100, 2, 1}), 10.0)[1] == doctest::Approx(0.04));
}

TEST_CASE("padding has no weight and is not in the median, whatever it holds") {
  matrix X = tokens_of_norms({50, 1, 50, 3, 50, 2, 50});
  const float nan = std::nanf("");
  X.row(2).setConstant(nan);
  using enum token_class;
  const std::vector<token_class> classes{text, image, padding, text, padding, image, padding};
  const std::vector<float> lambda = norm_weights(X, classes, 5.0);  // the median of 50, 1, 3, 2 is 2
  CHECK(lambda == std::vector<float>{lambda[0], 1, 0, 1, 0, 1, 0});
  CHECK(lambda[0] == doctest::Approx(0.04));
  CHECK(norm_weights(X, std::vector<token_class>(7, padding)) == std::vector<float>(7, 0.0f));
}

TEST_CASE("tokens of equal norm, of none, and no tokens") {
  CHECK(norm_weights(tokens_of_norms({7, 7, 7, 7}), 1.0) == std::vector<float>(4, 1.0f));
  CHECK(norm_weights(tokens_of_norms({0, 0, 0}), 1.0) == std::vector<float>(3, 1.0f));
  CHECK(norm_weights(tokens_of_norms({5}), 1.0) == std::vector<float>{1.0f});
  CHECK(norm_weights(matrix(0, 2)).empty());
  // Zeros are not in the median: if they were, it would be 0 and so would be the other weights.
  const std::vector<float> lambda = norm_weights(tokens_of_norms({0, 1, 0, 2, 0, 60, 0, 0}), 3.0);
  CHECK(lambda == std::vector<float>{1, 1, 1, 1, 1, lambda[5], 1, 1});
  CHECK(lambda[5] == doctest::Approx(0.01));
}

TEST_CASE("a power of two on all tokens changes no bit, nor do float's largest and smallest") {
  const matrix X = tokens_of_many_norms(101, 16);
  const std::vector<float> expected = norm_weights(X, 1.5);
  for (const int exponent : {-100, -7, 1, 100}) {
    CAPTURE(exponent);
    CHECK(norm_weights(X * std::ldexp(1.0f, exponent), 1.5) == expected);
  }
  CHECK(norm_weights(tokens_of_norms({3e38f, 1e37f, 1e37f}), 3.0)[0] == doctest::Approx(0.01));
  CHECK(norm_weights(tokens_of_norms({3e-38f, 1e-39f, 1e-39f}), 3.0)[0] == doctest::Approx(0.01));
}

TEST_CASE("weights do not depend on the order of tokens or the number of threads") {
  const matrix X = tokens_of_many_norms(100, 33);
  const std::vector<float> expected = norm_weights(X, 2.0);
  CHECK(norm_weights(X, 2.0, luq::openmp_executor{.threads = 3}) == expected);
  matrix shuffled(X.rows(), X.cols());
  const auto place = [&](luq::index t) { return t * 37 % X.rows(); };
  for (luq::index t = 0; t < X.rows(); ++t) shuffled.row(place(t)) = X.row(t);
  const std::vector<float> lambda = norm_weights(shuffled, 2.0);
  for (luq::index t = 0; t < X.rows(); ++t) {
    CHECK(lambda[static_cast<std::size_t>(place(t))] == expected[static_cast<std::size_t>(t)]);
  }
}

TEST_CASE("what is wrong with norms, classes and clips is said") {
  matrix X = tokens_of_norms({1, 2, 3});
  for (const double clip : {0.0, -1.0, std::nan("")}) {
    CHECK(error_of([&] { (void)norm_weights(X, clip); }).code() == luq::errc::invalid_argument);
  }
  const std::vector<token_class> two(2, token_class::text);
  CHECK(error_of([&] { (void)norm_weights(X, two); }).code() == luq::errc::shape_mismatch);
  X(1, 0) = infinity;
  const luq::error e = error_of([&] { (void)norm_weights(X); });
  CHECK(e.code() == luq::errc::non_finite);
  CHECK(std::string(e.what()).find("token 1") != std::string::npos);
}

TEST_CASE("massive tokens spoil the fit of the others, and with weights they do not") {
  const matrix W = luq::random_normal_matrix(16, 256, luq::counter_rng(1));
  const matrix X = inputs_with_massive_tokens(1500, 3, 2);
  const matrix without = inputs_with_massive_tokens(1500, 0, 3);
  const matrix ordinary = inputs_with_massive_tokens(1500, 0, 4);
  const matrix massive = inputs_with_massive_tokens(1, 1, 5);
  const auto quantized_under = [&](const matrix& tokens, const std::vector<float>& lambda) {
    luq::hessian H(tokens.cols());
    H.add(tokens, std::span<const float>(lambda));
    const luq::linear_inputs inputs(std::move(H));
    return luq::quantize({W, inputs}, luq::int_codec<4>{.group = 128}, luq::gptq{}).packed.unpack().decode();
  };
  const std::vector<float> ones(1500, 1.0f);
  const matrix plain = quantized_under(X, ones);
  const matrix weighted = quantized_under(X, norm_weights(X));
  const double best = relative_output_error(W, quantized_under(without, ones), ordinary);
  CHECK(relative_output_error(W, plain, ordinary) > 2.5 * best);
  CHECK(relative_output_error(W, weighted, ordinary) < 1.15 * best);
  // Feedback cannot mend the code of the massive channel itself: the massive token loses nothing by its weight.
  CHECK(relative_output_error(W, weighted, massive) < 1.5 * relative_output_error(W, plain, massive));
}
