// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/estimators/input_drift.hpp"

#include <doctest/doctest.h>

#include <Eigen/LU>
#include <limits>
#include <string>
#include <vector>

#include "error_of.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/core/random_matrix.hpp"
#include "luq/estimators/hessian.hpp"

using luq::input_drift;
using luq::matrix;
using luq::token_class;
using luq_test::error_of;

namespace {

struct batch {
  matrix X;
  matrix X_hat;
};

batch make_batch(luq::index tokens, luq::index width, std::uint64_t seed) {
  const matrix X = luq::random_normal_matrix(tokens, width, luq::counter_rng(seed, 1));
  return {X, 0.9f * X + 0.3f * luq::random_normal_matrix(tokens, width, luq::counter_rng(seed, 2))};
}

std::vector<float> drift_token_weights(luq::index tokens) {
  std::vector<float> lambda;
  for (luq::index t = 0; t < tokens; ++t) lambda.push_back(static_cast<float>((t + 1) % 7) * 0.3f);
  return lambda;
}

/// Largest error of an entry of D in units of what the header allows it, from the definition in double.
double drift_error_in_bounds(const matrix& D, const batch& b, const std::vector<float>& lambda, double blocks) {
  const Eigen::MatrixXd drift = b.X.cast<double>() - b.X_hat.cast<double>();
  const Eigen::MatrixXd inputs = b.X_hat.cast<double>();
  const Eigen::VectorXd weights = Eigen::Map<const Eigen::VectorXf>(lambda.data(), b.X.rows()).cast<double>();
  const double scale = 2 / weights.sum();
  const Eigen::MatrixXd exact = scale * (drift.transpose() * weights.asDiagonal() * inputs);
  const Eigen::MatrixXd magnitude = scale * (drift.cwiseAbs().transpose() * weights.asDiagonal() * inputs.cwiseAbs());
  // Four more roundings: of the difference, its product with the weight, the scale and the product with that.
  const double roundings = (256 + blocks + 4) * 0x1p-24;
  return ((D.cast<double>() - exact).cwiseAbs().array() / (magnitude.array() * roundings)).maxCoeff();
}

}  // namespace

TEST_CASE("the drift of two tokens worked by hand: which input is transposed, the sign and the scale") {
  matrix X(2, 2);
  X << 2, 5, 0, 1;
  matrix X_hat(2, 2);
  X_hat << 1, 3, 2, 1;
  input_drift D(2);
  D.add(X, X_hat);
  matrix expected(2, 2);
  expected << 1 - 4, 3 - 2, 2, 6;  // 2 / 2 times [1 2]^T [1 3] + [-2 0]^T [2 1]
  CHECK(D.matrix() == expected);
  CHECK(D.tokens() == 2);
  CHECK(D.total_weight() == 2.0);
  CHECK(D.in_features() == 2);
}

TEST_CASE("the error stays within its stated bound, at every number of tokens and inputs around the block sizes") {
  for (const luq::index width : {1, 3, 255, 257, 600}) {
    for (const luq::index tokens : {1, 255, 256, 257, 1100}) {
      CAPTURE(width);
      CAPTURE(tokens);
      const batch b = make_batch(tokens, width, 1);
      const double blocks = std::ceil(static_cast<double>(tokens) / 256);
      input_drift plain(width);
      plain.add(b.X, b.X_hat);
      CHECK(drift_error_in_bounds(plain.matrix(), b, std::vector<float>(static_cast<std::size_t>(tokens), 1.0f),
                                  blocks) < 1);
      input_drift weighted(width);
      weighted.add(b.X, b.X_hat, drift_token_weights(tokens));
      CHECK(drift_error_in_bounds(weighted.matrix(), b, drift_token_weights(tokens), blocks) < 1);
    }
  }
}

TEST_CASE("W + W D H^-1 is the least-squares answer to the drift") {
  const batch b = make_batch(400, 12, 2);
  const matrix W = luq::random_normal_matrix(5, 12, luq::counter_rng(3));
  input_drift D(12);
  D.add(b.X, b.X_hat, drift_token_weights(400));
  luq::hessian H(12);
  H.add(b.X_hat, drift_token_weights(400));
  const Eigen::MatrixXd corrected =
      W.cast<double>() + W.cast<double>() * D.matrix().cast<double>() * H.matrix().cast<double>().inverse();
  // The residual of a least-squares answer is orthogonal to its inputs, token weights included.
  const std::vector<float> lambda = drift_token_weights(400);
  const Eigen::VectorXd weights = Eigen::Map<const Eigen::VectorXf>(lambda.data(), 400).cast<double>();
  const Eigen::MatrixXd X_hat = b.X_hat.cast<double>();
  const Eigen::MatrixXd residual = b.X.cast<double>() * W.cast<double>().transpose() - X_hat * corrected.transpose();
  const Eigen::MatrixXd overlap = X_hat.transpose() * weights.asDiagonal() * residual;
  const Eigen::MatrixXd before =
      X_hat.transpose() * weights.asDiagonal() * (b.X - b.X_hat).cast<double>() * W.cast<double>().transpose();
  CHECK(overlap.norm() < 1e-4 * before.norm());
}

TEST_CASE("any number of threads gives the same bits") {
  const batch b = make_batch(600, 515, 4);
  input_drift reference(515);
  reference.add(b.X, b.X_hat);
  for (const int threads : {1, 2, 3}) {
    CAPTURE(threads);
    input_drift D(515);
    D.add(b.X, b.X_hat, luq::openmp_executor{threads});
    CHECK(D.matrix() == reference.matrix());
  }
}

TEST_CASE("splitting the stream, in calls or in parts that are merged, changes roundings only") {
  const batch b = make_batch(500, 30, 5);
  const std::vector<float> lambda = drift_token_weights(500);
  input_drift in_calls(30);
  std::vector<input_drift> parts(3, input_drift(30));
  for (luq::index first = 0; first < 500; first += 50) {
    const std::span<const float> weights(lambda.data() + first, 50);
    in_calls.add(b.X.middleRows(first, 50), b.X_hat.middleRows(first, 50), weights);
    parts[static_cast<std::size_t>(first / 50 % 3)].add(b.X.middleRows(first, 50), b.X_hat.middleRows(first, 50),
                                                        weights);
  }
  parts[1].merge(parts[0]);
  parts[1].merge(parts[2]);
  for (const input_drift& D : {in_calls, parts[1]}) {
    CHECK(drift_error_in_bounds(D.matrix(), b, lambda, 13) < 1);
    CHECK(D.total_weight() == doctest::Approx(Eigen::Map<const Eigen::VectorXf>(lambda.data(), 500).sum()));
  }
}

TEST_CASE("padding and tokens of weight zero do not count, whatever they hold") {
  batch b = make_batch(3, 4, 6);
  input_drift kept(4);
  matrix X(2, 4);
  X << b.X.row(0), b.X.row(2);
  matrix X_hat(2, 4);
  X_hat << b.X_hat.row(0), b.X_hat.row(2);
  kept.add(X, X_hat);
  b.X(1, 2) = std::numeric_limits<float>::infinity();
  b.X_hat(1, 1) = std::numeric_limits<float>::quiet_NaN();
  input_drift padded(4);
  padded.add(b.X, b.X_hat, std::vector<token_class>{token_class::text, token_class::padding, token_class::image});
  input_drift weighted(4);
  weighted.add(b.X, b.X_hat, std::vector<float>{1, 0, 1});
  CHECK(padded.matrix() == kept.matrix());
  CHECK(weighted.matrix() == kept.matrix());
  CHECK(padded.tokens() == 2);
}

TEST_CASE("without drift D is zero, and so it is before the first token") {
  const batch b = make_batch(40, 6, 7);
  input_drift D(6);
  CHECK(D.matrix().isZero(0.0f));
  D.add(b.X, b.X);
  CHECK(D.matrix().isZero(0.0f));
  CHECK(D.tokens() == 40);
}

TEST_CASE("errors name the token, and nothing is added") {
  const batch b = make_batch(20, 5, 8);
  input_drift D(5);
  D.add(b.X, b.X_hat);
  const matrix before = D.matrix();
  matrix bad = b.X;
  bad(13, 2) = std::numeric_limits<float>::quiet_NaN();
  for (const luq::error& e : {error_of([&] { D.add(bad, b.X_hat); }), error_of([&] { D.add(b.X, bad); })}) {
    CHECK(e.code() == luq::errc::non_finite);
    CHECK(std::string(e.what()).find("token 13") != std::string::npos);
  }
  CHECK(error_of([&] { D.add(b.X, b.X_hat.topRows(19)); }).code() == luq::errc::shape_mismatch);
  CHECK(error_of([&] { D.add(b.X.leftCols(4), b.X_hat); }).code() == luq::errc::shape_mismatch);
  CHECK(error_of([&] { D.add(b.X, b.X_hat.leftCols(4)); }).code() == luq::errc::shape_mismatch);
  CHECK(error_of([&] { D.add(b.X, b.X_hat, std::vector<float>(19, 1.0f)); }).code() == luq::errc::shape_mismatch);
  CHECK(error_of([&] { D.add(b.X, b.X_hat, std::vector<float>(20, -1.0f)); }).code() == luq::errc::invalid_argument);
  CHECK(error_of([&] { D.add(b.X, b.X_hat, std::vector<token_class>(3)); }).code() == luq::errc::shape_mismatch);
  CHECK(error_of([&] { D.merge(input_drift(6)); }).code() == luq::errc::shape_mismatch);
  CHECK(D.matrix() == before);
  CHECK(D.tokens() == 20);
}
