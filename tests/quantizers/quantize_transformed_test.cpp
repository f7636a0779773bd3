// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Quantizing under an input transform.

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "codec_list.hpp"
#include "estimators/error_of.hpp"
#include "linear_problem.hpp"
#include "luq/codecs/hadamard_rotation.hpp"
#include "luq/codecs/input_scaling.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/core/random_matrix.hpp"
#include "luq/quantizers/billm.hpp"
#include "luq/quantizers/gptq.hpp"
#include "luq/quantizers/output_error.hpp"
#include "luq/quantizers/round_to_nearest.hpp"
#include "quantize_problem.hpp"

using luq::gptq;
using luq::matrix;
using luq_test::error_of;
using luq_test::for_each_memoryless_codec;
using luq_test::given;
using luq_test::make_linear_problem;
using luq_test::quantize_transformed;

namespace {

std::vector<float> powers_of_two(luq::index columns) {
  std::vector<float> factors;
  for (luq::index c = 0; c < columns; ++c) factors.push_back(c % 3 == 0 ? 0.5f : 4.0f);
  return factors;
}

}  // namespace

TEST_CASE("the identity changes nothing") {
  const auto problem = make_linear_problem(20, 64, 200, 1);
  for_each_memoryless_codec(32, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const auto plain = luq::pack(luq_test::quantize_codes(problem.W, problem.H, codec, gptq{}));
    const auto same = quantize_transformed(problem.W, problem.H, given(luq::input_scaling(64)), codec, gptq{});
    CHECK(std::ranges::equal(luq_test::bytes_of_codes(same), plain.bytes()));
    CHECK(same.bytes().size() == plain.bytes().size() + 128);
  });
}

TEST_CASE("a problem given in the transformed basis has the same codes and the same error") {
  // Scaling by powers of two is exact, so that not even a rounding differs.
  const auto problem = make_linear_problem(20, 64, 200, 2);
  const luq::input_scaling scaling(powers_of_two(64));
  auto turned = problem;
  scaling.transform_weights(turned.W);
  scaling.transform_activations(turned.X);
  turned.H = turned.X.transpose() * turned.X / 200.0f;
  for_each_memoryless_codec(32, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    for (const auto order : {luq::column_order::natural, luq::column_order::activation}) {
      luq::quantize_report report;
      const auto result =
          quantize_transformed(problem.W, problem.H, given(scaling), codec, gptq{.order = order}, {}, &report);
      const auto direct = luq_test::quantize_codes(turned.W, turned.H, codec, gptq{.order = order});
      CHECK(std::ranges::equal(luq_test::bytes_of_codes(result), luq::pack(direct).bytes()));
      CHECK(report.loss > 0);
      CHECK(luq_test::measured_output_error(problem, result.unpack().decode()) ==
            doctest::Approx(luq_test::measured_output_error(turned, direct.decode())).epsilon(1e-6));
    }
  });
}

TEST_CASE("the drift of inputs is given in the original basis") {
  const auto problem = make_linear_problem(20, 64, 200, 6);
  matrix D = 0.05f * luq::random_normal_matrix(64, 64, luq::counter_rng(6, 4)) * problem.H;
  const luq::int_codec<3> codec{.group = 32};
  const auto check = [&](const auto& transform, double equal_share) {
    matrix W = problem.W;
    matrix H = problem.H;
    transform.transform_weights(W);
    transform.transform_hessian(H);
    matrix T = matrix::Identity(64, 64);
    transform.transform_activations(T);  // T^T
    const matrix turned = T.transpose() * D * T;
    const gptq drifting{.drift_share = luq::gptaq_drift_share};
    const auto direct = luq_test::quantize_codes_with_drift(W, H, turned, codec, drifting);
    luq::linear_inputs inputs = luq::linear_inputs::borrow(problem.H);
    inputs.set_drift(D);
    const auto codes = luq::quantize({problem.W, inputs}, given(transform), codec, drifting).packed.unpack().codes;
    CHECK(static_cast<double>((codes.array() == direct.codes.array()).count()) >= equal_share * 20 * 64);
    const auto without = quantize_transformed(problem.W, problem.H, given(transform), codec, gptq{});
    CHECK(codes != without.unpack().codes);
  };
  check(luq::input_scaling(powers_of_two(64)), 1.0);
  check(luq::hadamard_rotation(64, {.seed = 6}), 0.97);  // rounding may flip a code and those after it in its row
}

TEST_CASE("without activations") {
  const auto problem = make_linear_problem(20, 64, 200, 3);
  const luq::hadamard_rotation rotation(64, {.seed = 3});
  const luq::binary_coding_codec codec{.group = 32};
  const auto with = quantize_transformed(problem.W, problem.H, given(rotation), codec, luq::round_to_nearest{});
  const auto without = luq::quantize(problem.W, given(rotation), codec, luq::round_to_nearest{}).packed;
  CHECK(with.unpack().decode() == without.unpack().decode());
}

TEST_CASE("the result is the same bits for any number of threads") {
  const auto problem = make_linear_problem(150, 96, 300, 4);
  const luq::hadamard_rotation rotation(96, {.seed = 4});
  for_each_memoryless_codec(32, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const auto serial = quantize_transformed(problem.W, problem.H, given(rotation), codec, gptq{});
    for (const int threads : {1, 2, 3}) {
      const auto parallel = quantize_transformed(problem.W, problem.H, given(rotation), codec, gptq{},
                                                 {.executor = luq::openmp_executor{.threads = threads}});
      CHECK(std::ranges::equal(parallel.bytes(), serial.bytes()));
    }
  });
}

TEST_CASE("bad data are errors, each with its code") {
  const auto problem = make_linear_problem(4, 16, 40, 5);
  const luq::sign_codec codec{.group = 8};
  const luq::hadamard_rotation rotation(16);
  const auto code_with = [&](const matrix& W, const matrix& H, const auto& transform) {
    return error_of([&] { (void)quantize_transformed(W, H, given(transform), codec, gptq{}); }).code();
  };
  matrix W = problem.W;
  W(1, 3) = std::numeric_limits<float>::quiet_NaN();
  matrix H = problem.H;
  H(2, 2) = std::numeric_limits<float>::infinity();
  CHECK(code_with(W, problem.H, rotation) == luq::errc::non_finite);
  CHECK(code_with(problem.W, H, rotation) == luq::errc::non_finite);
  CHECK(code_with(problem.W, matrix::Identity(15, 15), rotation) == luq::errc::shape_mismatch);
  CHECK(code_with(problem.W, problem.H, luq::hadamard_rotation(8)) == luq::errc::shape_mismatch);
  const std::vector<float> zeros(16, 0.0f);
  CHECK(code_with(problem.W, problem.H, luq::input_scaling(zeros)) == luq::errc::invalid_argument);
}
