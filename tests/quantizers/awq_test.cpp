// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/quantizers/awq.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "codec_list.hpp"
#include "estimators/error_of.hpp"
#include "linear_problem.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/core/random_matrix.hpp"
#include "luq/estimators/mean_magnitude.hpp"
#include "luq/quantizers/gptq.hpp"
#include "luq/quantizers/round_to_nearest.hpp"
#include "quantize_problem.hpp"

using luq::matrix;
using luq::matrix_view;
using luq_test::for_each_memoryless_codec;
using luq_test::make_linear_problem;

namespace {

std::vector<float> magnitudes(const luq_test::linear_problem& problem) {
  luq::mean_magnitude m(problem.X.cols());
  m.add(problem.X);
  return m.values();
}

/// Inputs of these magnitudes whose Hessian is the problem's.
luq::linear_inputs inputs_with(const luq_test::linear_problem& problem, const std::vector<float>& magnitude) {
  luq::linear_inputs inputs = luq::linear_inputs::borrow(problem.H);
  inputs.set_magnitudes(magnitude);
  return inputs;
}

luq::linear_inputs inputs_of(const luq_test::linear_problem& problem) {
  return inputs_with(problem, magnitudes(problem));
}

/// Column feedback that counts how often it is asked.
struct counted_gptq {
  int* calls;

  static constexpr bool needs_inputs = true;

  template <luq::MemorylessCodec Codec>
  [[nodiscard]] luq::coded_matrix<Codec> operator()(const luq::linear_problem& problem, const Codec& codec,
                                                    const luq::quantize_context& context,
                                                    luq::quantize_report& report) const {
    ++*calls;
    return luq::gptq{}(problem, codec, context, report);
  }
};

/// Writes down what it is told.
struct written_progress final : luq::progress_observer {
  std::string text;

  void begin(std::string_view task, std::uint64_t units) override {
    text += std::string(task) + " " + std::to_string(units) + ":";
  }
  void advance(std::uint64_t units) override { text += " " + std::to_string(units); }
  void end() override { text += " end"; }
};

}  // namespace

TEST_CASE("with any codec and quantizer it is never worse than no scaling, and it counts its bits") {
  const auto problem = make_linear_problem(24, 68, 300, 1);
  for_each_memoryless_codec(32, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const auto check = [&](const auto& quantizer) {
      const auto plain = luq::pack(luq_test::quantize_codes(problem.W, problem.H, codec, quantizer));
      const luq::linear_inputs inputs = inputs_of(problem);
      const luq::awq scales{.steps = 5, .by_rounding = false};
      const auto scaled = luq::quantize({problem.W, inputs}, scales, codec, quantizer).packed;
      CHECK(luq::relative_output_error(problem.W, scaled.unpack().decode(), problem.H) <=
            luq::relative_output_error(problem.W, plain.unpack().decode(), problem.H));
      CHECK(scaled.bits_per_weight() == doctest::Approx(plain.bits_per_weight() + 16.0 / 24));
    };
    check(luq::gptq{});
    check(luq::round_to_nearest{});
  });
}

TEST_CASE("scales of large inputs help rounding to few bits") {
  const auto problem = make_linear_problem(48, 128, 400, 2);
  const auto check = [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const luq::round_to_nearest nearest;
    const double plain = luq_test::measured_output_error(
        problem, luq_test::quantize_codes(problem.W, problem.H, codec, nearest).decode());
    for (const auto& m : {magnitudes(problem), luq::input_magnitude(problem.H)}) {
      const luq::linear_inputs inputs = inputs_with(problem, m);
      const matrix Q = luq::quantize({problem.W, inputs}, luq::awq{}, codec, nearest).packed.unpack().decode();
      CHECK(luq_test::measured_output_error(problem, Q) < 0.8 * plain);
    }
  };
  check(luq::int_codec<3>{.group = 64});
  check(luq::int_codec<4>{.group = 64});
}

TEST_CASE("the search tries the published grid and keeps the best of it") {
  const auto problem = make_linear_problem(16, 48, 200, 3);
  const std::vector<float> m = magnitudes(problem);
  const matrix_view W = problem.W;
  const luq::int_codec<3> codec{.group = 16};
  const luq::linear_inputs inputs = inputs_with(problem, m);
  const auto best = luq::awq{}.search(std::span(&W, 1), inputs, codec, luq::round_to_nearest{});
  REQUIRE(best.errors.size() == 20);
  std::size_t least = 0;
  for (std::size_t i = 0; i < 20; ++i) {
    CAPTURE(i);
    std::vector<double> s;
    for (const float size : m)
      s.push_back(std::max(std::pow(static_cast<double>(size), 0.05 * static_cast<double>(i)), 1e-4));
    const double center = std::sqrt(*std::max_element(s.begin(), s.end()) * *std::min_element(s.begin(), s.end()));
    std::vector<float> factors;
    for (const double scale : s) factors.push_back(static_cast<float>(center / scale));
    const luq::input_scaling scaling(factors);
    const matrix Q =
        luq_test::quantize_transformed(problem.W, problem.H, luq_test::given(scaling), codec, luq::round_to_nearest{})
            .unpack()
            .decode();
    CHECK(best.errors[i] == doctest::Approx(luq::relative_output_error(problem.W, Q, problem.H)).epsilon(1e-3));
    if (best.errors[i] < best.errors[least]) least = i;
    if (std::abs(best.exponent - 0.05 * static_cast<double>(i)) < 1e-9) {
      for (std::size_t c = 0; c < factors.size(); ++c) {
        CHECK(best.scaling.factors()[c] == doctest::Approx(scaling.factors()[c]).epsilon(1e-3));
      }
    }
  }
  CHECK(least > 0);
  CHECK(best.exponent == doctest::Approx(0.05 * static_cast<double>(least)));
}

TEST_CASE("as published, the scales are those that rounding to nearest loses least with, whatever the quantizer") {
  const auto problem = make_linear_problem(16, 48, 200, 3);
  const matrix_view W = problem.W;
  const luq::int_codec<3> codec{.group = 16};
  const luq::linear_inputs inputs = inputs_of(problem);
  int calls = 0;
  const counted_gptq counted{&calls};
  const auto by_rounding = luq::awq{.steps = 10}.search(std::span(&W, 1), inputs, codec, counted);
  CHECK(calls == 0);
  const auto of_rounding =
      luq::awq{.steps = 10, .by_rounding = false}.search(std::span(&W, 1), inputs, codec, luq::round_to_nearest{});
  CHECK(by_rounding.errors == of_rounding.errors);
  CHECK(by_rounding.exponent == of_rounding.exponent);
  CHECK(by_rounding.scaling == of_rounding.scaling);
  const auto by_itself = luq::awq{.steps = 10, .by_rounding = false}.search(std::span(&W, 1), inputs, codec, counted);
  CHECK(calls == 10);
  CHECK(by_itself.errors != by_rounding.errors);
  // The quantizer itself is asked for codes under the scales that were found.
  const auto packed = luq::quantize({problem.W, inputs}, luq::awq{.steps = 10}, codec, counted).packed;
  CHECK(calls == 11);
  const auto& found = dynamic_cast<const luq::input_scaling&>(*packed.transform());
  CHECK(found == by_rounding.scaling);
  const auto expected = luq::quantize({problem.W, inputs}, luq_test::given(found), codec, luq::gptq{}).packed;
  CHECK(std::ranges::equal(packed.bytes(), expected.bytes()));
}

TEST_CASE("an observer is told of each exponent") {
  const auto problem = make_linear_problem(4, 16, 60, 8);
  const luq::linear_inputs inputs = inputs_of(problem);
  written_progress progress;
  const luq::quantize_context context{.progress = &progress};
  (void)luq::quantize({problem.W, inputs}, luq::awq{.steps = 3}, luq::int_codec<4>{.group = 8}, luq::gptq{}, context);
  CHECK(progress.text == "awq: exponents 3: 1 1 1 end");
}

TEST_CASE("linears that share an input share the scaling that is best for all of them") {
  const auto problem = make_linear_problem(16, 48, 200, 4);
  const luq::linear_inputs inputs = inputs_of(problem);
  const luq::int_codec<3> codec{.group = 16};
  std::vector<matrix> owned{problem.W, 3.0f * luq::random_normal_matrix(5, 48, luq::counter_rng(4, 8)),
                            luq::random_normal_matrix(30, 48, luq::counter_rng(4, 9))};
  std::vector<matrix_view> weights(owned.begin(), owned.end());
  const luq::awq scales{.steps = 8, .by_rounding = false};
  const auto shared = scales.search(weights, inputs, codec, luq::gptq{});
  std::vector<double> lost(8, 0.0);
  double output = 0;
  for (const matrix_view& W : weights) {
    const auto own = scales.search(std::span(&W, 1), inputs, codec, luq::gptq{});
    const double energy = luq::output_energy(W, problem.H);
    output += energy;
    for (std::size_t i = 0; i < 8; ++i) lost[i] += own.errors[i] * energy;
  }
  for (std::size_t i = 0; i < 8; ++i) CHECK(shared.errors[i] == doctest::Approx(lost[i] / output).epsilon(1e-6));
}

TEST_CASE("scales that fp16 cannot hold are passed over; dead inputs and a single step are fine") {
  auto problem = make_linear_problem(8, 16, 100, 5);
  problem.X.col(4).setZero();
  problem.H = problem.X.transpose() * problem.X / 100.0f;
  const matrix_view W = problem.W;
  const luq::int_codec<4> codec{.group = 8};
  std::vector<float> m = magnitudes(problem);
  CHECK(m[4] == 0.0f);
  const auto search = [&](const luq::awq& scales) {
    const luq::linear_inputs inputs = inputs_with(problem, m);
    return scales.search(std::span(&W, 1), inputs, codec, luq::gptq{});
  };
  const auto with_dead = search({.by_rounding = false});
  for (const double error : with_dead.errors) CHECK(std::isfinite(error));
  m[0] = 1e30f;
  m[1] = 1e-30f;
  const auto wide = search({.smallest = 1e-30, .by_rounding = false});
  CHECK(std::isfinite(wide.errors.front()));
  CHECK(std::isinf(wide.errors.back()));
  const auto single = search({.steps = 1, .by_rounding = false});
  CHECK(single.exponent == 0.0);
  CHECK(single.scaling == luq::input_scaling(16));
}

TEST_CASE("the result is the same bits for any number of threads") {
  const auto problem = make_linear_problem(150, 40, 200, 6);
  const luq::binary_coding_codec codec{.group = 16};
  for (const bool by_rounding : {false, true}) {
    const luq::awq scales{.steps = 4, .by_rounding = by_rounding};
    const luq::linear_inputs inputs = inputs_of(problem);
    const auto serial = luq::quantize({problem.W, inputs}, scales, codec, luq::gptq{}).packed;
    for (const int threads : {1, 2, 3}) {
      const luq::openmp_executor executor{.threads = threads};
      const luq::linear_inputs own = inputs_of(problem);
      const auto parallel = luq::quantize({problem.W, own}, scales, codec, luq::gptq{}, {.executor = executor}).packed;
      CHECK(std::ranges::equal(parallel.bytes(), serial.bytes()));
    }
  }
}

TEST_CASE("bad data are errors, each with its code") {
  const auto problem = make_linear_problem(4, 8, 40, 7);
  const std::vector<float> m = magnitudes(problem);
  const luq::sign_codec codec{.group = 8};
  const auto code_with = [&](const matrix& W, const std::vector<float>& magnitude, const luq::awq& scales = {}) {
    return luq_test::error_of([&] {
             const luq::linear_inputs inputs = inputs_with(problem, magnitude);
             (void)luq::quantize({W, inputs}, scales, codec, luq::gptq{});
           })
        .code();
  };
  constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
  matrix spoilt = problem.W;
  spoilt(0, 0) = not_a_number;
  CHECK(code_with(spoilt, m) == luq::errc::non_finite);
  CHECK(code_with(matrix::Ones(4, 7), m) == luq::errc::shape_mismatch);
  CHECK(code_with(problem.W, std::vector<float>(7, 1.0f)) == luq::errc::shape_mismatch);
  CHECK(code_with(problem.W, std::vector<float>(8, -1.0f)) == luq::errc::invalid_argument);
  CHECK(code_with(problem.W, std::vector<float>(8, not_a_number)) == luq::errc::invalid_argument);
  CHECK(code_with(problem.W, m, {.steps = 0}) == luq::errc::invalid_argument);
  CHECK(code_with(problem.W, m, {.smallest = 0.0}) == luq::errc::invalid_argument);
  CHECK(luq_test::error_of([&] {
          (void)luq::quantize(problem.W, luq::awq{}, codec, luq::round_to_nearest{});
        }).code() == luq::errc::insufficient_data);
}
