// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Hard inputs and random shapes, each with the outcome it must have: Hessian, factor, column feedback and block rule.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "codec_list.hpp"
#include "estimators/error_of.hpp"
#include "linear_problem.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/quantizers/billm.hpp"
#include "luq/quantizers/gptq.hpp"
#include "luq/quantizers/quantize.hpp"
#include "luq/quantizers/round_to_nearest.hpp"
#include "quantize_problem.hpp"

using luq::gptq;
using luq::matrix;
using luq_test::error_of;
using luq_test::for_each_memoryless_codec;
using luq_test::make_linear_problem;

namespace {

/// Calls check(quantizer) for each way of feeding errors forward.
template <class Check>
void for_each_quantizer(Check&& check) {
  check(gptq{});
  check(gptq{.order = luq::column_order::activation});
  check(gptq{.fit = luq::group_fit::block_start, .block = 32});
  check(luq::billm{});
  check(luq::billm{.compensation = luq::block_compensation::exact});
}

/// Sum of squares of the columns' weighted errors against those of rounding, a bound that feedback must not exceed by
/// much whatever the input.
double relative_error(const matrix& W, const matrix& Q, const matrix& H) {
  const Eigen::MatrixXd E = (W - Q).cast<double>();
  const Eigen::MatrixXd V = W.cast<double>();
  const Eigen::MatrixXd M = H.cast<double>();
  return (E * M * E.transpose()).trace() / (V * M * V.transpose()).trace();
}

}  // namespace

TEST_CASE("random shapes: finite codes of the right shape, the same bits for any threads, packed or not") {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const luq::counter_rng rng(seed, 77);
    const auto pick = [&](std::uint64_t draw, luq::index most) {
      return 1 + static_cast<luq::index>(rng.below(draw, static_cast<std::uint64_t>(most)));
    };
    const luq::index small = seed % 4 == 0 ? 300 : 40;
    const luq::index rows = pick(0, small);
    const luq::index cols = pick(1, small);
    const luq::index tokens = pick(2, 300);  // often fewer than inputs
    const luq::index group = pick(3, 2 * cols);
    const luq::index block = pick(4, 200);
    CAPTURE(rows);
    CAPTURE(cols);
    CAPTURE(tokens);
    CAPTURE(group);
    CAPTURE(block);
    const auto problem = make_linear_problem(rows, cols, tokens, seed);
    luq::hessian H(cols);
    H.add(problem.X);
    luq::hessian in_threads(cols);
    in_threads.add(problem.X, luq::openmp_executor{.threads = 3});
    REQUIRE(in_threads.matrix() == H.matrix());
    const auto check = [&](const auto& codec, const auto& quantizer) {
      CAPTURE(luq::codec_name(codec));
      luq::quantize_report report;
      const auto codes = luq_test::quantize_codes(problem.W, H.matrix(), codec, quantizer, &report);
      const matrix decoded = codes.decode();
      REQUIRE(decoded.rows() == rows);
      REQUIRE(decoded.cols() == cols);
      CHECK(decoded.allFinite());
      CHECK(std::isfinite(report.loss));
      CHECK(report.damp >= 0.01);
      CHECK(relative_error(problem.W, decoded, H.matrix()) < 1);  // no worse than all weights 0
      const luq::linear_inputs inputs(H);
      const auto parallel =
          luq::quantize({problem.W, inputs}, codec, quantizer, {.executor = luq::openmp_executor{.threads = 3}});
      CHECK(parallel.packed.unpack().decode() == decoded);
      CHECK(parallel.report.loss == report.loss);
    };
    check(luq::int_codec<4>{.group = group}, gptq{.block = block});
    check(luq::int_codec<3>{.group = group}, gptq{.order = luq::column_order::activation, .block = block});
    check(luq::int_codec<8>{.group = group}, gptq{.fit = luq::group_fit::block_start, .block = block});
    check(luq::billm_codec{.group = group}, gptq{.block = block});
    check(luq::int_codec<8>{.group = group}, luq::billm{.compensation = luq::block_compensation::exact});
  }
}

TEST_CASE("weights or activations that are not finite are errors that say where") {
  auto problem = make_linear_problem(5, 12, 60, 1);
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    matrix W = problem.W;
    W(3, 7) = bad;
    matrix H = problem.H;
    H(2, 9) = bad;
    for_each_quantizer([&](const auto& quantizer) {
      const luq::error of_weights =
          error_of([&] { (void)luq_test::quantize_codes(W, problem.H, luq::int_codec<4>{}, quantizer); });
      CHECK(of_weights.code() == luq::errc::non_finite);
      CHECK(std::string(of_weights.what()).find("row 3, column 7") != std::string::npos);
      const luq::error of_hessian =
          error_of([&] { (void)luq_test::quantize_codes(problem.W, H, luq::int_codec<4>{}, quantizer); });
      CHECK(of_hessian.code() == luq::errc::non_finite);
    });
  }
}

TEST_CASE("activations whose squares overflow are an error of the factorisation, not an infinite weight") {
  const auto problem = make_linear_problem(3, 6, 30, 2);
  luq::linear_inputs inputs(6);
  inputs.add(1e20f * problem.X);
  for_each_quantizer([&](const auto& quantizer) {
    CHECK(error_of([&] { (void)luq::quantize({problem.W, inputs}, luq::int_codec<4>{}, quantizer); }).code() ==
          luq::errc::non_finite);
  });
}

TEST_CASE("a linear whose inputs are all dead, or that has seen no token, is an error") {
  const auto problem = make_linear_problem(70, 40, 10, 3);
  luq::hessian of_zeros(40);
  of_zeros.add(matrix::Zero(10, 40));
  luq::hessian vanishing(40);  // squares underflow to 0
  vanishing.add(64 * std::numeric_limits<float>::denorm_min() * problem.X);
  for_each_memoryless_codec(16, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    for_each_quantizer([&](const auto& quantizer) {
      for (const luq::hessian& H : {of_zeros, vanishing, luq::hessian(40)}) {
        const luq::linear_inputs inputs(H);
        CHECK(error_of([&] { (void)luq::quantize({problem.W, inputs}, codec, quantizer); }).code() ==
              luq::errc::insufficient_data);
        CHECK(error_of([&] { (void)luq_test::quantize_codes(problem.W, H.matrix(), codec, quantizer); }).code() ==
              luq::errc::insufficient_data);
      }
    });
    // Rounding needs no Hessian, and does not set weights to zero for one.
    const auto nearest = luq_test::quantize_codes(problem.W, of_zeros.matrix(), codec, luq::round_to_nearest{});
    CHECK(nearest.decode() == luq_test::quantize_codes(problem.W, problem.H, codec, luq::round_to_nearest{}).decode());
  });
}

TEST_CASE("fewer tokens than inputs: damped, finite, and better than rounding on the tokens seen") {
  const auto problem = make_linear_problem(40, 200, 20, 4);
  luq::hessian H(200);
  H.add(problem.X);
  for_each_memoryless_codec(64, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const matrix nearest = luq_test::quantize_codes(problem.W, H.matrix(), codec, luq::round_to_nearest{}).decode();
    for_each_quantizer([&](const auto& quantizer) {
      luq::quantize_report report;
      const matrix Q = luq_test::quantize_codes(problem.W, H.matrix(), codec, quantizer, &report).decode();
      CHECK(report.factorizations >= 1);
      CHECK(Q.allFinite());
      CHECK(luq_test::measured_output_error(problem, Q) < 0.9 * luq_test::measured_output_error(problem, nearest));
    });
  });
}

TEST_CASE("a matrix that stays indefinite through the damping ladder is an error, at any size") {
  for (const luq::index n : {2, 40, 200}) {
    CAPTURE(n);
    const auto problem = make_linear_problem(2, n, 10, 5);
    matrix H = matrix::Constant(n, n, -4.0f);  // an eigenvalue of 5 - 4 n
    H.diagonal().setOnes();
    for_each_quantizer([&](const auto& quantizer) {
      const luq::error e =
          error_of([&] { (void)luq_test::quantize_codes(problem.W, H, luq::sign_codec{}, quantizer); });
      CHECK(e.code() == luq::errc::indefinite_hessian);
      CHECK(std::string(e.what()).find(std::to_string(n) + " inputs") != std::string::npos);
    });
  }
}

TEST_CASE("tiny shapes, with and without rows or inputs") {
  for (const auto& shape : {std::pair<int, int>{1, 1}, {1, 2}, {2, 1}, {0, 3}, {65, 1}, {1, 65}, {0, 0}, {3, 0}}) {
    const int rows = shape.first;
    const int cols = shape.second;
    CAPTURE(rows);
    CAPTURE(cols);
    const auto problem = make_linear_problem(rows, cols, 5, 6);
    luq::hessian H(cols);
    H.add(problem.X);
    for_each_memoryless_codec(64, [&](const auto& codec) {
      CAPTURE(luq::codec_name(codec));
      for_each_quantizer([&](const auto& quantizer) {
        const luq::linear_inputs inputs(H);
        const auto packed = luq::quantize({problem.W, inputs}, codec, quantizer).packed;
        CHECK(packed.rows() == rows);
        CHECK(packed.cols() == cols);
        CHECK(static_cast<luq::index>(packed.bytes().size()) == luq::packed_bytes(codec, rows, cols));
        CHECK(packed.unpack().decode() == luq_test::quantize_codes(problem.W, H.matrix(), codec, quantizer).decode());
      });
    });
  }
}

TEST_CASE("denormal weights and activations give finite results") {
  const auto problem = make_linear_problem(10, 30, 100, 7);
  const float tiny = 64 * std::numeric_limits<float>::denorm_min();
  luq::hessian ordinary(30);
  ordinary.add(problem.X);
  luq::hessian denormal(30);  // entries of H are denormal
  denormal.add(1e-20f * problem.X);
  for_each_memoryless_codec(16, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    for_each_quantizer([&](const auto& quantizer) {
      const matrix of_weights =
          luq_test::quantize_codes(tiny * problem.W, ordinary.matrix(), codec, quantizer).decode();
      CHECK(of_weights.allFinite());
      CHECK(of_weights.cwiseAbs().maxCoeff() < 1e-6f);
      try {
        CHECK(luq_test::quantize_codes(problem.W, denormal.matrix(), codec, quantizer).decode().allFinite());
      } catch (const luq::error& e) {
        CHECK(e.code() == luq::errc::indefinite_hessian);  // where the inverse of a denormal would overflow
      }
    });
  });
}
