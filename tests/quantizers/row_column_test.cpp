// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/quantizers/row_column.hpp"

#include <doctest/doctest.h>

#include <Eigen/LU>
#include <Eigen/SVD>
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "codec_list.hpp"
#include "estimators/error_of.hpp"
#include "linear_problem.hpp"
#include "luq/codecs/hadamard_rotation.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/quantizers/gptq.hpp"
#include "luq/quantizers/round_to_nearest.hpp"
#include "quantize_problem.hpp"

using luq::matrix;
using luq_test::for_each_memoryless_codec;
using luq_test::make_linear_problem;
using luq_test::quantize_transformed;

namespace {

/// A linear whose weights have columns of different size, for column scales to find.
luq_test::linear_problem uneven_problem(luq::index out, luq::index in, luq::index tokens, std::uint64_t seed) {
  auto problem = make_linear_problem(out, in, tokens, seed);
  const luq::counter_rng rng(seed, 11);
  for (luq::index c = 0; c < in; ++c) {
    problem.W.col(c) *= static_cast<float>(std::exp(0.7 * rng.normal(static_cast<std::uint64_t>(c))));
  }
  return problem;
}

/// What the codes of a packed matrix stand for under another scaling.
template <class Codec>
matrix decode_under(const luq::packed_matrix<Codec>& packed, const luq::input_scaling& scaling) {
  luq::coded_matrix<Codec> codes = packed.unpack();
  codes.transform = std::make_shared<const luq::input_scaling>(scaling);
  return codes.decode();
}

double squared_distance(const matrix& A, const matrix& B) {
  return (A.cast<double>() - B.cast<double>()).squaredNorm();
}

matrix published(const matrix& W, const luq::sign_codec& codec, int iterations) {
  const auto scaling = luq::alternate_column_scales(W, {}, codec, iterations);
  std::vector<float> squares;
  for (const float f : scaling.factors()) squares.push_back(f * f);
  // Row scales are fitted with the weights of the squared error in the original basis.
  const matrix H = Eigen::Map<const Eigen::VectorXf>(squares.data(), W.cols()).asDiagonal();
  matrix scaled = W;
  scaling.transform_weights(scaled);
  const luq::round_to_nearest nearest{.weighted_fit = true};
  return decode_under(luq::pack(luq_test::quantize_codes(scaled, H, codec, nearest)), scaling);
}

}  // namespace

TEST_CASE(
    "signs: the alternation reaches the best product of row and column scales, the leading singular pair of |W|") {
  const auto problem = uneven_problem(30, 40, 50, 1);
  const Eigen::MatrixXd magnitudes = problem.W.cwiseAbs().cast<double>();
  const double sigma = magnitudes.jacobiSvd().singularValues()[0];
  const double best = magnitudes.squaredNorm() - sigma * sigma;
  const double reached = squared_distance(problem.W, published(problem.W, {.group = luq::whole_row}, 15));
  CHECK(reached == doctest::Approx(best).epsilon(1e-4));
  CHECK(reached < 0.9 * squared_distance(problem.W, published(problem.W, {.group = luq::whole_row}, 0)));
}

TEST_CASE("signs: each iteration brings the weights nearer, group by group") {
  const auto problem = uneven_problem(20, 50, 50, 2);
  double before = std::numeric_limits<double>::infinity();
  for (const int iterations : {0, 1, 2, 3, 15}) {
    CAPTURE(iterations);
    const double error = squared_distance(problem.W, published(problem.W, {.group = 16}, iterations));
    CHECK(error <= before * (1 + 1e-5));  // the rounding of scales to fp16
    before = error;
  }
}

TEST_CASE("weights that are a product of scales and signs are restored") {
  matrix W(12, 32);
  const luq::counter_rng rng(3);
  for (luq::index r = 0; r < 12; ++r) {
    for (luq::index c = 0; c < 32; ++c) {
      const float sign = rng.bits(static_cast<std::uint64_t>(100 * r + c)) % 2 == 0 ? 1.0f : -1.0f;
      W(r, c) = sign * static_cast<float>(r + 1) * std::exp(0.1f * static_cast<float>(c));
    }
  }
  CHECK(squared_distance(W, published(W, {.group = 16}, 15)) < 1e-6 * squared_distance(W, matrix::Zero(12, 32)));
}

TEST_CASE("the refit is least squares under H") {
  const auto problem = uneven_problem(24, 36, 200, 4);
  const luq::binary_coding_codec codec{.group = 12};
  const luq::linear_inputs inputs = luq::linear_inputs::borrow(problem.H);
  const luq::input_scaling ones(36);
  const auto before = luq::quantize({problem.W, inputs}, luq_test::given(ones), codec, luq::gptq{}).packed;
  const auto refitted = luq::refit_column_scales({problem.W, inputs}, before.unpack());
  const Eigen::MatrixXd Q = luq_test::decode_own_basis(before).cast<double>();
  const Eigen::MatrixXd H = problem.H.cast<double>();
  const Eigen::MatrixXd A = H.cwiseProduct(Q.transpose() * Q);
  const Eigen::VectorXd b = (Q.transpose() * problem.W.cast<double>() * H).diagonal();
  const Eigen::VectorXd f = A.partialPivLu().solve(b);
  for (luq::index c = 0; c < 36; ++c) {
    CHECK(static_cast<double>(refitted.factors()[static_cast<std::size_t>(c)]) == doctest::Approx(f[c]).epsilon(2e-3));
  }
  const auto error_with = [&](const luq::input_scaling& scaling) {
    return luq_test::measured_output_error(problem, decode_under(before, scaling));
  };
  CHECK(error_with(refitted) < 0.98 * error_with(ones));
  // It is what row_column puts in the place of the scales that codes were chosen under.
  const luq::row_column from_ones{.iterations = 0};
  const auto both = luq::quantize({problem.W, inputs}, from_ones, codec, luq::gptq{}).packed;
  CHECK(std::ranges::equal(luq_test::bytes_of_codes(both), luq_test::bytes_of_codes(before)));
  CHECK(dynamic_cast<const luq::input_scaling&>(*both.transform()) == refitted);
}

TEST_CASE("with every codec: a refit is never worse, and both scales are better than one") {
  const auto problem = uneven_problem(40, 96, 400, 5);
  for_each_memoryless_codec(32, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const auto check = [&](const auto& quantizer) {
      const auto error_with = [&](const luq::row_column& scales) {
        return luq_test::measured_output_error(
            problem, quantize_transformed(problem.W, problem.H, scales, codec, quantizer).unpack().decode());
      };
      const double plain = luq_test::measured_output_error(
          problem, luq_test::quantize_codes(problem.W, problem.H, codec, quantizer).decode());
      CHECK(error_with({.iterations = 0}) <= plain * (1 + 1e-5));
      CHECK(error_with({}) <= error_with({.refits = false}) * (1 + 1e-5));
      CHECK(error_with({.weighted = true}) <= error_with({.weighted = true, .refits = false}) * (1 + 1e-5));
      // A codec with column classes has its own answer to uneven columns.
      if constexpr (luq::column_class_count<std::decay_t<decltype(codec)>> == 1) CHECK(error_with({}) < 0.95 * plain);
    };
    check(luq::gptq{});
    check(luq::round_to_nearest{});
  });
}

TEST_CASE("column scales are counted") {
  const auto problem = make_linear_problem(64, 128, 200, 6);
  const auto packed =
      quantize_transformed(problem.W, problem.H, luq::row_column{}, luq::sign_codec{.group = 128}, luq::gptq{});
  CHECK(packed.bits_per_weight() == 1.125 + 16.0 / 64);
}

TEST_CASE("columns without weights, inputs that are always zero, and tiny shapes") {
  auto problem = uneven_problem(10, 24, 100, 7);
  problem.W.col(3).setZero();
  problem.X.col(5).setZero();
  problem.H = problem.X.transpose() * problem.X / 100.0f;
  for_each_memoryless_codec(8, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    for (const bool weighted : {false, true}) {
      const luq::row_column scales{.weighted = weighted};
      const matrix Q = quantize_transformed(problem.W, problem.H, scales, codec, luq::gptq{}).unpack().decode();
      CHECK(Q.allFinite());
      CHECK(luq_test::measured_output_error(problem, Q) < 0.6);
    }
  });
  for (const auto& shape : {std::pair<int, int>{1, 1}, {1, 7}, {5, 1}, {0, 4}}) {
    const auto tiny = make_linear_problem(shape.first, shape.second, 20, 8);
    for_each_memoryless_codec(4, [&](const auto& codec) {
      const auto packed = quantize_transformed(tiny.W, tiny.H, luq::row_column{}, codec, luq::gptq{});
      CHECK(packed.unpack().decode().allFinite());
    });
  }
  const auto zero = quantize_transformed(matrix::Zero(4, 8), matrix::Identity(8, 8), luq::row_column{},
                                         luq::sign_codec{.group = 8}, luq::gptq{});
  CHECK(zero.unpack().decode().isZero(0));
}

TEST_CASE("the result is the same bits for any number of threads") {
  const auto problem = uneven_problem(150, 40, 200, 9);
  for_each_memoryless_codec(16, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const auto serial = quantize_transformed(problem.W, problem.H, luq::row_column{}, codec, luq::gptq{});
    for (const int threads : {1, 2, 3}) {
      const auto parallel = quantize_transformed(problem.W, problem.H, luq::row_column{}, codec, luq::gptq{},
                                                 {.executor = luq::openmp_executor{.threads = threads}});
      CHECK(std::ranges::equal(parallel.bytes(), serial.bytes()));
    }
  });
}

TEST_CASE("bad data are errors, each with its code") {
  const auto problem = make_linear_problem(4, 8, 40, 10);
  const luq::sign_codec codec{.group = 8};
  const auto code_of = [](auto&& action) { return luq_test::error_of(action).code(); };
  matrix W = problem.W;
  W(1, 1) = std::numeric_limits<float>::infinity();
  matrix H = problem.H;
  H(3, 3) = std::numeric_limits<float>::quiet_NaN();
  const auto code_with = [&](const matrix& weights, const matrix& Hessian, const luq::row_column& scales = {}) {
    return code_of([&] { (void)quantize_transformed(weights, Hessian, scales, codec, luq::gptq{}); });
  };
  CHECK(code_with(W, problem.H) == luq::errc::non_finite);
  CHECK(code_with(problem.W, H) == luq::errc::non_finite);
  CHECK(code_with(problem.W, matrix::Identity(7, 7)) == luq::errc::shape_mismatch);
  CHECK(code_with(problem.W, problem.H, {.iterations = -1}) == luq::errc::invalid_argument);
  const std::vector<float> few(7, 1.0f);
  const std::vector<float> negative(8, -1.0f);
  CHECK(code_of([&] { (void)luq::alternate_column_scales(problem.W, few, codec); }) == luq::errc::shape_mismatch);
  CHECK(code_of([&] { (void)luq::alternate_column_scales(problem.W, negative, codec); }) ==
        luq::errc::invalid_argument);
  const luq::linear_inputs inputs = luq::linear_inputs::borrow(problem.H);
  const luq::row_column scales;
  auto codes = luq::quantize({problem.W, inputs}, scales, codec, luq::gptq{}).packed.unpack();
  const matrix other = matrix::Zero(3, 8);
  CHECK(code_of([&] { (void)luq::refit_column_scales({other, inputs}, codes); }) == luq::errc::shape_mismatch);
  CHECK(code_of([&] { (void)luq::refit_column_scales(problem.W, codes); }) == luq::errc::insufficient_data);
  for (const luq::shared_transform& transform :
       {luq::shared_transform(), luq::shared_transform(std::make_shared<const luq::hadamard_rotation>(8))}) {
    codes.transform = transform;
    CHECK(code_of([&] { (void)luq::refit_column_scales({problem.W, inputs}, codes); }) == luq::errc::invalid_argument);
  }
  // Rounding to nearest needs no inputs, nor does the alternation; a weighted one does.
  CHECK(luq::quantize(problem.W, scales, codec, luq::round_to_nearest{}).packed.unpack().decode().allFinite());
  const luq::row_column weighted{.weighted = true};
  CHECK(code_of([&] { (void)luq::quantize(problem.W, weighted, codec, luq::round_to_nearest{}); }) ==
        luq::errc::insufficient_data);
}
