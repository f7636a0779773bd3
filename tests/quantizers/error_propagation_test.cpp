// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/quantizers/error_propagation.hpp"

#include <doctest/doctest.h>

#include <Eigen/LU>
#include <cmath>
#include <limits>

#include "codec_list.hpp"
#include "estimators/error_of.hpp"
#include "linear_problem.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/core/random_matrix.hpp"
#include "luq/estimators/hessian.hpp"
#include "luq/estimators/input_drift.hpp"
#include "luq/quantizers/billm.hpp"
#include "luq/quantizers/gptq.hpp"
#include "luq/quantizers/round_to_nearest.hpp"
#include "quantize_problem.hpp"

using luq::matrix;
using luq::propagate_error;
using luq_test::error_of;

namespace {

/// A linear whose inputs have drifted.
struct drifted_problem {
  matrix W;     // [out x in]
  matrix X;     // [tokens x in] behind float layers
  matrix Xhat;  // [tokens x in] behind quantized layers
  matrix H;     // [in x in] of Xhat
  matrix D;     // [in x in]
};

drifted_problem finished(matrix W, matrix X, matrix Xhat) {
  const float scale = 2.0f / static_cast<float>(X.rows());
  matrix H = scale * (Xhat.transpose() * Xhat);
  matrix D = scale * ((X - Xhat).transpose() * Xhat);
  return {std::move(W), std::move(X), std::move(Xhat), std::move(H), std::move(D)};
}

drifted_problem make_drifted_problem(luq::index out, luq::index in, luq::index tokens, std::uint64_t seed) {
  const auto linear = luq_test::make_linear_problem(out, in, tokens, seed);
  const matrix mixing =
      luq::random_normal_matrix(in, in, luq::counter_rng(seed, 5)) / std::sqrt(8.0f * static_cast<float>(in));
  matrix Xhat = linear.X + linear.X * mixing + 0.1f * luq::random_normal_matrix(tokens, in, luq::counter_rng(seed, 6));
  return finished(linear.W, linear.X, std::move(Xhat));
}

/// ||Q Xhat - W X||^2 / ||W X||^2, what the layer's output has lost altogether.
double total_error(const drifted_problem& problem, const matrix& Q) {
  const Eigen::MatrixXd exact = problem.X.cast<double>() * problem.W.transpose().cast<double>();
  return (problem.Xhat.cast<double>() * Q.transpose().cast<double>() - exact).squaredNorm() / exact.squaredNorm();
}

}  // namespace

TEST_CASE("it is the closed form") {
  for (const auto& shape : {std::pair<int, int>{1, 1}, {3, 20}, {130, 65}, {64, 96}}) {
    const int out = shape.first;
    const int in = shape.second;
    CAPTURE(in);
    const auto problem = make_drifted_problem(out, in, 300, 1);
    for (const auto& options :
         {luq::error_propagation_options{}, {.strength = 1.0, .damp = 0.01}, {.strength = 0.25}}) {
      Eigen::MatrixXd damped = problem.H.cast<double>();
      damped.diagonal().array() += options.damp * problem.H.diagonal().cast<double>().mean();
      const Eigen::MatrixXd W = problem.W.cast<double>();
      const Eigen::MatrixXd expected = W + options.strength * W * problem.D.cast<double>() * damped.inverse();
      const matrix corrected = propagate_error(problem.W, problem.H, problem.D, options);
      CHECK((corrected.cast<double>() - expected).norm() <= 1e-5 * expected.norm());
      CHECK((expected - W).norm() > 0.005 * W.norm());
    }
  }
}

TEST_CASE("undamped and at full strength it is least squares: no other weights come closer to the float output") {
  const auto problem = make_drifted_problem(6, 24, 400, 2);
  const matrix best = propagate_error(problem.W, problem.H, problem.D, {.strength = 1.0, .damp = 1e-6});
  const double least = total_error(problem, best);
  CHECK(least < 0.9 * total_error(problem, problem.W));
  for (std::uint64_t trial = 0; trial < 20; ++trial) {
    const matrix other = best + 1e-2f * luq::random_normal_matrix(6, 24, luq::counter_rng(trial, 9));
    CHECK(total_error(problem, other) > least);
  }
}

TEST_CASE("the accumulators give it H and D in one scale") {
  const auto problem = make_drifted_problem(4, 12, 200, 3);
  luq::hessian H(12);
  H.add(problem.Xhat);
  luq::input_drift D(12);
  D.add(problem.X, problem.Xhat);
  const matrix from_accumulators = propagate_error(problem.W, H.matrix(), D.matrix());
  const matrix direct = propagate_error(problem.W, problem.H, problem.D);
  CHECK((from_accumulators - direct).norm() <= 1e-5f * direct.norm());
}

TEST_CASE("behind a quantized layer every quantizer loses less of the float output with it") {
  // Two layers with a rectifier between them; the first is quantized to two bits, to nearest.
  const auto first = luq_test::make_linear_problem(96, 64, 800, 4);
  const matrix quantized =
      luq::quantize(first.W, luq::int_codec<2>{.group = 32}, luq::round_to_nearest{}).packed.unpack().decode();
  const matrix X = (first.X * first.W.transpose()).cwiseMax(0.0f);
  const matrix Xhat = (first.X * quantized.transpose()).cwiseMax(0.0f);
  const auto problem = finished(luq::random_normal_matrix(48, 96, luq::counter_rng(4, 7)), X, Xhat);
  const matrix corrected = propagate_error(problem.W, problem.H, problem.D);
  CHECK(total_error(problem, corrected) < total_error(problem, problem.W));
  luq_test::for_each_memoryless_codec(32, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const auto check = [&](const auto& quantizer) {
      const matrix without = luq_test::quantize_codes(problem.W, problem.H, codec, quantizer).decode();
      const matrix with = luq_test::quantize_codes(corrected, problem.H, codec, quantizer).decode();
      CHECK(total_error(problem, with) < 0.97 * total_error(problem, without));
    };
    check(luq::gptq{});
    check(luq::round_to_nearest{});
    check(luq::billm{});
  });
}

TEST_CASE("without drift, without strength and without inputs the weights stay as they are") {
  const auto problem = make_drifted_problem(5, 16, 100, 5);
  CHECK(propagate_error(problem.W, problem.H, matrix::Zero(16, 16)) == problem.W);
  CHECK(propagate_error(problem.W, problem.H, problem.D, {.strength = 0.0}) == problem.W);
  CHECK(propagate_error(problem.W, matrix::Zero(16, 16), matrix::Zero(16, 16)) == problem.W);
  CHECK(propagate_error(matrix(0, 16), problem.H, problem.D).rows() == 0);
  CHECK(propagate_error(matrix(3, 0), matrix(0, 0), matrix(0, 0)).rows() == 3);
}

TEST_CASE("dead inputs stay as they are, and few tokens are enough") {
  auto problem = make_drifted_problem(5, 40, 10, 6);
  problem.X.col(3).setZero();
  problem.Xhat.col(3).setZero();
  problem = finished(problem.W, problem.X, problem.Xhat);
  const matrix corrected = propagate_error(problem.W, problem.H, problem.D);
  CHECK(corrected.allFinite());
  CHECK(corrected.col(3) == problem.W.col(3));
}

TEST_CASE("dead inputs do not change what the others become") {
  const auto alone = make_drifted_problem(5, 20, 100, 8);
  auto problem = make_drifted_problem(5, 40, 100, 9);
  problem.W.leftCols(20) = alone.W;
  problem.H.setZero();
  problem.D.setZero();
  problem.H.topLeftCorner(20, 20) = alone.H;
  problem.D.topLeftCorner(20, 20) = alone.D;
  const matrix corrected = propagate_error(problem.W, problem.H, problem.D);
  const matrix expected = propagate_error(alone.W, alone.H, alone.D);
  CHECK((corrected.leftCols(20) - expected).norm() < 1e-5f * (expected - alone.W).norm());
  CHECK(corrected.rightCols(20) == problem.W.rightCols(20));
}

TEST_CASE("the result is the same bits for any number of threads") {
  const auto problem = make_drifted_problem(200, 70, 300, 7);
  const matrix serial = propagate_error(problem.W, problem.H, problem.D);
  for (const int threads : {1, 2, 3}) {
    CHECK(propagate_error(problem.W, problem.H, problem.D, {}, luq::openmp_executor{.threads = threads}) == serial);
  }
}

TEST_CASE("bad data are errors, each with its code") {
  const auto problem = make_drifted_problem(4, 8, 50, 8);
  const auto code_with = [&](const matrix& W, const matrix& H, const matrix& D,
                             const luq::error_propagation_options& options = {}) {
    return error_of([&] { (void)propagate_error(W, H, D, options); }).code();
  };
  const auto spoilt = [](matrix M) {
    M(1, 2) = std::numeric_limits<float>::quiet_NaN();
    return M;
  };
  CHECK(code_with(spoilt(problem.W), problem.H, problem.D) == luq::errc::non_finite);
  CHECK(code_with(problem.W, spoilt(problem.H), problem.D) == luq::errc::non_finite);
  CHECK(code_with(problem.W, problem.H, spoilt(problem.D)) == luq::errc::non_finite);
  CHECK(code_with(problem.W, matrix::Identity(7, 7), problem.D) == luq::errc::shape_mismatch);
  CHECK(code_with(problem.W, problem.H, matrix::Zero(8, 7)) == luq::errc::shape_mismatch);
  for (const double damp : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
    CHECK(code_with(problem.W, problem.H, problem.D, {.damp = damp}) == luq::errc::invalid_argument);
  }
  for (const double strength : {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN()}) {
    CHECK(code_with(problem.W, problem.H, problem.D, {.strength = strength}) == luq::errc::invalid_argument);
  }
  matrix indefinite = problem.H;
  indefinite(2, 2) *= -2.0f;
  CHECK(code_with(problem.W, indefinite, problem.D, {.damp = 0.01}) == luq::errc::indefinite_hessian);
}
