// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/estimators/hessian.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "error_of.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/core/random_matrix.hpp"
#include "luq/io/safetensors/safetensors.hpp"

using luq::hessian;
using luq::matrix;
using luq::token_class;
using luq_test::error_of;

namespace {

/// Inputs whose columns differ in size a thousandfold and are correlated.
matrix inputs(luq::index tokens, luq::index width, std::uint64_t seed) {
  matrix X = luq::random_normal_matrix(tokens, width, luq::counter_rng(seed));
  for (luq::index c = 0; c < width; ++c) {
    if (c > 0) X.col(c) += 0.7f * X.col(c - 1);
    X.col(c) *= std::ldexp(1.0f, static_cast<int>(c % 11) - 5);
  }
  return X;
}

std::vector<float> token_weights(luq::index tokens) {
  std::vector<float> lambda;
  for (luq::index t = 0; t < tokens; ++t) lambda.push_back(static_cast<float>(t % 7) * 0.3f);
  return lambda;
}

/// Largest error of an entry of H in units of what the header allows it, from the definition in double.
double error_in_bounds(const matrix& H, const matrix& X, const std::vector<float>& lambda, double blocks) {
  const Eigen::MatrixXd A = X.cast<double>();
  const Eigen::VectorXd weights = Eigen::Map<const Eigen::VectorXf>(lambda.data(), X.rows()).cast<double>();
  const Eigen::MatrixXd sum = A.transpose() * weights.asDiagonal() * A;
  const Eigen::MatrixXd magnitude = A.cwiseAbs().transpose() * weights.asDiagonal() * A.cwiseAbs();
  const double scale = 2 / weights.sum();
  const Eigen::MatrixXd error = (H.cast<double>() - scale * sum).cwiseAbs();
  // Two more roundings: of the scale and of its product with the sum; and three for each term with a root of a weight.
  return (error.array() / (scale * magnitude.array() * (256 + blocks + 5) * 0x1p-24)).maxCoeff();
}

double relative_difference(const matrix& a, const matrix& b) {
  return static_cast<double>((a - b).cwiseAbs().maxCoeff() / a.cwiseAbs().maxCoeff());
}

}  // namespace

TEST_CASE("the Hessian of two tokens worked by hand") {
  matrix X(2, 2);
  X << 1, 2, 3, 4;
  hessian H(2);
  H.add(X);
  matrix expected(2, 2);
  expected << 10, 14, 14, 20;  // 2 / 2 times [1 2]^T [1 2] + [3 4]^T [3 4]
  CHECK(H.matrix() == expected);
  CHECK(H.tokens() == 2);
  CHECK(H.total_weight() == 2.0);
  CHECK(H.in_features() == 2);
}

TEST_CASE("sums made elsewhere go on as if they had been made here") {
  luq::matrix sum(2, 2);
  sum << 2, 777, 4, 10;  // of the tokens (1, 3) and (1, 1); above the diagonal anything
  luq::hessian H = luq::hessian::from_sum(sum, 2, 2.0);
  luq::hessian expected(2);
  luq::matrix X(2, 2);
  X << 1, 3, 1, 1;
  expected.add(X);
  CHECK(H.tokens() == 2);
  CHECK(H.total_weight() == 2.0);
  H.add(X);
  expected.add(X);
  CHECK(H.matrix() == expected.matrix());

  const auto code_of = [](const luq::matrix& from, luq::index tokens, double weight) {
    try {
      static_cast<void>(luq::hessian::from_sum(from, tokens, weight));
    } catch (const luq::error& refusal) {
      return std::optional(refusal.code());
    }
    return std::optional<luq::errc>();
  };
  CHECK(code_of(luq::matrix::Zero(2, 3), 1, 1) == luq::errc::shape_mismatch);
  CHECK(code_of(luq::matrix::Constant(2, 2, NAN), 1, 1) == luq::errc::non_finite);
  CHECK(code_of(sum, -1, 1) == luq::errc::invalid_argument);
  CHECK(code_of(sum, 1, INFINITY) == luq::errc::invalid_argument);
}

TEST_CASE("weights multiply the terms and the normalisation") {
  matrix X(3, 2);
  X << 1, 2, 100, 100, 3, 4;
  hessian H(2);
  H.add(X, std::vector<float>{4.0f, 0.0f, 1.0f});
  matrix expected(2, 2);
  expected << 2 * 13.0f / 5, 2 * 20.0f / 5, 2 * 20.0f / 5, 2 * 32.0f / 5;
  CHECK((H.matrix() - expected).cwiseAbs().maxCoeff() < 1e-5f);
  CHECK(H.tokens() == 2);
  CHECK(H.total_weight() == 5.0);
}

TEST_CASE("before the first token the Hessian is zero") {
  const hessian H(3);
  CHECK(H.matrix() == matrix(matrix::Zero(3, 3)));
  CHECK(H.tokens() == 0);
  CHECK(H.total_weight() == 0.0);
}

TEST_CASE("the error stays within its stated bound, at every number of tokens and inputs around the block sizes") {
  for (const luq::index width : {1, 3, 255, 256, 257, 600}) {
    for (const luq::index tokens : {1, 255, 256, 257, 1100, 2049}) {
      CAPTURE(width);
      CAPTURE(tokens);
      const matrix X = inputs(tokens, width, 1);
      const double blocks = std::ceil(static_cast<double>(tokens) / 256);
      hessian plain(width);
      plain.add(X);
      CHECK(error_in_bounds(plain.matrix(), X, std::vector<float>(static_cast<std::size_t>(tokens), 1.0f), blocks) < 1);
      CHECK(plain.matrix() == matrix(plain.matrix().transpose()));
      if (tokens == 1) continue;  // its weight is zero
      hessian weighted(width);
      weighted.add(X, token_weights(tokens));
      CHECK(error_in_bounds(weighted.matrix(), X, token_weights(tokens), blocks) < 1);
    }
  }
}

TEST_CASE("any number of threads gives the same bits") {
  for (const luq::index width : {5, 300, 777}) {
    CAPTURE(width);
    const matrix X = inputs(1300, width, 2);
    hessian reference(width);
    reference.add(X);
    for (const int threads : {1, 2, 3}) {
      CAPTURE(threads);
      hessian H(width);
      H.add(X, luq::openmp_executor{threads});
      CHECK(H.matrix() == reference.matrix());
    }
  }
}

TEST_CASE("splitting the stream, in calls or in parts that are merged, changes roundings only") {
  const matrix X = inputs(900, 70, 3);
  const std::vector<float> lambda = token_weights(900);
  hessian whole(70);
  whole.add(X, lambda);
  for (const luq::index piece : {1, 7, 256, 300}) {
    CAPTURE(piece);
    hessian in_calls(70);
    std::vector<hessian> parts(3, hessian(70));
    for (luq::index first = 0; first < 900; first += piece) {
      const luq::index count = std::min(piece, 900 - first);
      const std::span<const float> weights(lambda.data() + first, static_cast<std::size_t>(count));
      in_calls.add(X.middleRows(first, count), weights);
      parts[static_cast<std::size_t>(first / piece % 3)].add(X.middleRows(first, count), weights);
    }
    parts[2].merge(parts[0]);
    parts[2].merge(parts[1]);
    for (const hessian& H : {in_calls, parts[2]}) {
      CHECK(H.tokens() == whole.tokens());
      CHECK(H.total_weight() == doctest::Approx(whole.total_weight()).epsilon(1e-12));
      CHECK(error_in_bounds(H.matrix(), X, lambda, std::ceil(900.0 / static_cast<double>(piece)) + 3) < 1);
    }
  }
}

TEST_CASE("calls of whole blocks give the same bits as one call") {
  const matrix X = inputs(1024, 40, 4);
  hessian whole(40);
  whole.add(X);
  hessian in_calls(40);
  in_calls.add(X.topRows(256));
  in_calls.add(X.middleRows(256, 512));
  in_calls.add(X.bottomRows(256));
  CHECK(in_calls.matrix() == whole.matrix());
}

TEST_CASE("weights of 1 are no weights, and tokens of which some do not count are those that do, bit for bit") {
  for (const luq::index tokens : {1023, 1024, 1025, 2600}) {
    CAPTURE(tokens);
    const matrix X = inputs(tokens, 33, 9);
    hessian plain(33);
    plain.add(X);
    hessian weighted(33);
    weighted.add(X, std::vector<float>(static_cast<std::size_t>(tokens), 1.0f));
    CHECK(weighted.matrix() == plain.matrix());

    matrix spread = matrix::Constant(tokens + 4, 33, 7.0f);  // tokens of weight 0 before, between and behind
    spread.middleRows(1, 1000) = X.topRows(1000);
    spread.middleRows(1003, tokens - 1000) = X.bottomRows(tokens - 1000);
    std::vector<float> lambda(static_cast<std::size_t>(tokens + 4), 1.0f);
    for (const luq::index t : {luq::index{0}, luq::index{1001}, luq::index{1002}, tokens + 3}) {
      lambda[static_cast<std::size_t>(t)] = 0;
    }
    hessian scattered(33);
    scattered.add(spread, lambda);
    CHECK(scattered.matrix() == plain.matrix());
    CHECK(scattered.tokens() == tokens);
  }
}

TEST_CASE("the matrix can be had in the memory of the accumulator, which is empty then") {
  const matrix X = inputs(300, 270, 10);
  hessian H(270);
  H.add(X);
  const matrix copy = H.matrix();
  const matrix taken = std::move(H).matrix();
  CHECK(taken == copy);
  CHECK(H.in_features() == 0);  // NOLINT(bugprone-use-after-move): what is left is promised
  CHECK(H.tokens() == 0);
  CHECK(H.total_weight() == 0.0);
}

TEST_CASE("padding does not count, whatever it holds") {
  matrix X = inputs(500, 20, 5);
  std::vector<token_class> classes;
  matrix kept(0, 20);
  for (luq::index t = 0; t < 500; ++t) {
    classes.push_back(t % 3 == 0 ? token_class::padding : t % 3 == 1 ? token_class::text : token_class::image);
    if (t % 3 == 0) {
      X.row(t).setConstant(std::numeric_limits<float>::quiet_NaN());
    } else {
      kept.conservativeResize(kept.rows() + 1, 20);
      kept.row(kept.rows() - 1) = X.row(t);
    }
  }
  hessian padded(20);
  padded.add(X, classes);
  hessian plain(20);
  plain.add(kept);
  CHECK(padded.matrix() == plain.matrix());
  CHECK(padded.tokens() == 333);
}

TEST_CASE("a token of weight zero does not count, whatever it holds") {
  matrix X = inputs(3, 4, 6);
  X(1, 2) = std::numeric_limits<float>::infinity();
  hessian H(4);
  H.add(X, std::vector<float>{1, 0, 1});
  CHECK(H.tokens() == 2);
  CHECK(H.matrix().allFinite());
}

TEST_CASE("inputs may be part of a larger buffer") {
  const matrix buffer = inputs(40, 64, 7);
  hessian strided(10);
  strided.add(buffer.block(3, 5, 30, 10));
  hessian copied(10);
  copied.add(matrix(buffer.block(3, 5, 30, 10)));
  CHECK(strided.matrix() == copied.matrix());
}

TEST_CASE("errors name the token, and nothing is added") {
  const matrix X = inputs(300, 8, 8);
  hessian H(8);
  H.add(X);
  const matrix before = H.matrix();
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    matrix bad = X;
    bad(299, 5) = value;
    const luq::error e = error_of([&] { H.add(bad); });
    CHECK(e.code() == luq::errc::non_finite);
    CHECK(std::string(e.what()).find("token 299") != std::string::npos);
    const luq::error weight = error_of([&] { H.add(X.topRows(2), std::vector<float>{1, value}); });
    CHECK(weight.code() == luq::errc::invalid_argument);
    CHECK(std::string(weight.what()).find("token 1") != std::string::npos);
  }
  CHECK(error_of([&] { H.add(X.topRows(1), std::vector<float>{-1}); }).code() == luq::errc::invalid_argument);
  CHECK(error_of([&] { H.add(X.leftCols(7)); }).code() == luq::errc::shape_mismatch);
  CHECK(error_of([&] { H.add(X, std::vector<float>(299, 1.0f)); }).code() == luq::errc::shape_mismatch);
  CHECK(error_of([&] { H.add(X, std::vector<token_class>(301)); }).code() == luq::errc::shape_mismatch);
  CHECK(error_of([&] { H.merge(hessian(9)); }).code() == luq::errc::shape_mismatch);
  CHECK(H.matrix() == before);
  CHECK(H.tokens() == 300);
}

TEST_CASE("published Hessians are ours but for their count of sequences in place of tokens") {
  for (const std::string name : {"linear_64x256", "linear_48x320_ragged_dead"}) {
    CAPTURE(name);
    const luq::safetensors_reader file(LUQ_TEST_DATA "/golden/" + name + ".safetensors");
    const matrix published = file.read_matrix("hessian");
    const std::vector<float> X = file.read_floats("inputs");
    const auto tokens = static_cast<luq::index>(X.size()) / published.cols();
    const auto sequences = static_cast<float>(file.shape("inputs")[0]);
    hessian H(published.cols());
    H.add(luq::view(X.data(), tokens, published.cols()));
    const matrix ours = H.matrix() * (static_cast<float>(tokens) / sequences);
    CHECK(relative_difference(published, ours) < 2e-6);
  }
}
