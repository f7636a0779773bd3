// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Compiled with -ffast-math, with which compilers take every number to be finite: what is none is refused all the same.
// Linked with it, so that with GCC the processor also takes subnormal numbers for zeros.
#include <doctest/doctest.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <luq/codecs/int_codec.hpp>
#include <luq/codecs/sign_codec.hpp>
#include <luq/core/all_finite.hpp>
#include <luq/core/half.hpp>
#include <luq/core/is_finite.hpp>
#include <luq/core/random_matrix.hpp>
#include <luq/estimators/activation_entropy.hpp>
#include <luq/estimators/hessian.hpp>
#include <luq/estimators/histogram.hpp>
#include <luq/estimators/kendall_tau.hpp>
#include <luq/estimators/kmeans.hpp>
#include <luq/io/safetensors/safetensors.hpp>
#include <luq/kernels/matmul.hpp>
#include <luq/policy/prefix_scan.hpp>
#include <luq/quantizers/gptq.hpp>
#include <luq/quantizers/quantize.hpp>
#include <luq/quantizers/round_to_nearest.hpp>

#ifndef __FAST_MATH__
#error "this is to be compiled with -ffast-math"
#endif

using luq::errc;
using luq::matrix;

namespace {

// Volatile: the compiler is to know as little of them as of numbers from a file.
volatile std::uint32_t nan_bits = 0x7fc00000u;
volatile std::uint32_t infinity_bits = 0x7f800000u;

float nan_value() {
  return std::bit_cast<float>(std::uint32_t{nan_bits});
}
float infinite_value() {
  return std::bit_cast<float>(std::uint32_t{infinity_bits});
}

/// The code of the error of action(), or nothing if there is none.
template <class Action>
std::string error_of(Action&& action) {
  try {
    action();
  } catch (const luq::error& e) {
    return e.code() == errc::non_finite         ? "non_finite"
           : e.code() == errc::invalid_argument ? "invalid_argument"
                                                : std::string("another: ") + e.what();
  }
  return "none";
}

matrix weights() {
  return luq::random_normal_matrix(16, 128, luq::counter_rng(1));
}
matrix tokens() {
  return luq::random_normal_matrix(200, 128, luq::counter_rng(2));
}
const luq::int_codec<4> int4{.group = 64};

}  // namespace

TEST_CASE("numbers are finite or not") {
  for (const float x : {0.0f, -1.0f, 0x1.fffffep127f, 0x1p-149f}) {
    CHECK(luq::is_finite(x));
    CHECK(luq::is_finite(double{x}));
  }
  const float nan = nan_value();
  const float infinity = infinite_value();
  const float minus_infinity = std::bit_cast<float>(std::bit_cast<std::uint32_t>(infinity) | 0x80000000u);
  for (const float* x : {&nan, &infinity, &minus_infinity}) {
    CHECK_FALSE(luq::is_finite(*x));
    CHECK_FALSE(luq::is_finite(static_cast<double>(*x)));
    CHECK(luq::is_nan(static_cast<double>(*x)) == (x == &nan));
    for (const luq::index count : {1, 63, 64, 200}) {
      for (luq::index i = 0; i < count; ++i) {
        matrix A = matrix::Constant(1, count, 1.0f);
        CHECK(luq::all_finite(A));
        A(0, i) = *x;
        CHECK_FALSE(luq::all_finite(A));
      }
    }
  }
  const float large = 0x1p127f;
  const volatile float factor = 4;
  CHECK_FALSE(luq::is_finite(large * factor));
}

TEST_CASE("halves that are subnormal, and the sign of a zero, survive") {
  int wrong = 0;
  for (std::uint32_t bits = 0; bits < 0x7c00u; ++bits) {
    for (const std::uint32_t sign : {0u, 0x8000u}) {
      const luq::half stored = luq::half::from_bits(static_cast<std::uint16_t>(bits | sign));
      const float value = stored;
      wrong += std::bit_cast<std::uint32_t>(value) >> 31 != sign >> 15;
      wrong += luq::half(value) != stored;
    }
  }
  CHECK(wrong == 0);
  CHECK(static_cast<float>(luq::half::from_bits(1)) == 0x1p-24f);
}

TEST_CASE("weights and activations that are not finite are refused") {
  for (const float bad : {nan_value(), infinite_value()}) {
    matrix W = weights();
    W(3, 4) = bad;
    matrix X = tokens();
    X(3, 4) = bad;
    const std::vector<luq::token_class> classes(200, luq::token_class::text);
    luq::hessian H(128);
    CHECK(error_of([&] { H.add(X); }) == "non_finite");
    H.add(tokens());
    luq::linear_inputs inputs(128);
    CHECK(error_of([&] { inputs.add(X); }) == "non_finite");
    inputs.add(tokens());
    CHECK(error_of([&] { inputs.set_drift(matrix::Constant(128, 128, bad)); }) == "non_finite");
    CHECK(error_of([&] { inputs.set_magnitudes(std::vector<float>(128, bad)); }) == "invalid_argument");
    CHECK(error_of([&] { (void)luq::quantize(W, int4, luq::round_to_nearest{}); }) == "non_finite");
    CHECK(error_of([&] { (void)luq::quantize({W, inputs}, int4, luq::gptq{}); }) == "non_finite");
    CHECK(error_of([&] { luq::activation_entropy(128).add(X, classes, 0); }) == "non_finite");
    CHECK(error_of([&] { (void)luq::kmeans(X, {.clusters = 2}); }) == "non_finite");
    std::vector<float> importance(200, 1.0f);
    importance[7] = bad;
    CHECK(error_of([&] { H.add(tokens(), importance); }) == "invalid_argument");
    CHECK(error_of([&] { (void)luq::kmeans(tokens(), {.clusters = 2}, importance); }) == "invalid_argument");
    CHECK(error_of([&] { luq::fixed_histogram(0, 1, 4).add(static_cast<double>(bad)); }) == "non_finite");
  }
}

TEST_CASE("sums and scales that overflow are refused") {
  luq::linear_inputs inputs(128);
  inputs.add(tokens() * 1e25f);
  CHECK(error_of([&] { (void)luq::quantize({weights(), inputs}, int4, luq::gptq{}); }) == "non_finite");
  CHECK(error_of([&] {
          (void)luq::quantize(weights() * 1e7f, luq::sign_codec{.group = 64}, luq::round_to_nearest{});
        }) == "non_finite");
}

TEST_CASE("options that are no numbers are refused") {
  const auto nan = static_cast<double>(nan_value());
  luq::hessian H(128);
  H.add(tokens());
  const luq::linear_inputs inputs(H);
  const luq::gptq drifting{.drift_share = nan};
  CHECK(error_of([&] { (void)luq::quantize({weights(), inputs}, int4, drifting); }) == "invalid_argument");
  CHECK(error_of([&] { (void)luq::factorize_hessian(H.matrix(), {.first = nan}); }) == "invalid_argument");
  CHECK(error_of([&] { (void)luq::kmeans(tokens(), {.clusters = 2, .tolerance = nan}); }) == "invalid_argument");
  CHECK(error_of([&] { luq::fixed_histogram(nan, 1, 4); }) == "invalid_argument");
  const luq::prefix_policy policy{{{{"a", 64, 128}}}, {0}, luq::sign_codec{}, int4, "by hand"};
  CHECK(error_of([&] { (void)luq::plan_within_bits(policy, nan); }) == "invalid_argument");
  CHECK(error_of([&] { (void)luq::smallest_with_quality({}, nan); }) == "invalid_argument");
  const std::vector<double> scores{1, nan};
  CHECK(error_of([&] { (void)luq::lowest_score_first(scores); }) == "non_finite");
  CHECK(error_of([&] { (void)luq::count_pairs(scores, scores); }) == "non_finite");
}

TEST_CASE("k-means finds the nearest of centroids that it has not seen before") {
  matrix X(6, 1);
  X << 0, 1, 2, 100, 101, 102;
  const luq::kmeans_result result = luq::kmeans(X, {.clusters = 2});
  CHECK(result.inertia == doctest::Approx(4.0));
}

TEST_CASE("a token that is not finite has a product that is not, and no other has") {
  luq::linear_inputs inputs(128);
  inputs.add(tokens());
  const auto check = [](const auto& packed) {
    for (const auto mode : {luq::activation_mode::float32, luq::activation_mode::int8, luq::activation_mode::lookup}) {
      for (const float bad : {nan_value(), infinite_value()}) {
        for (const luq::index count : {1, 3, 40}) {
          matrix X = tokens().topRows(count);
          X(count / 2, 7) = bad;
          matrix Y(count, 16);
          luq::matmul(packed, X, Y, {.activations = mode});
          for (luq::index t = 0; t < count; ++t) {
            for (luq::index r = 0; r < 16; ++r) {
              CAPTURE(t);
              CAPTURE(r);
              CHECK(luq::is_finite(Y(t, r)) == (t != count / 2));
            }
          }
        }
      }
    }
  };
  check(luq::quantize({weights(), inputs}, int4, luq::gptq{}).packed);
  check(luq::quantize({weights(), inputs}, luq::sign_codec{.group = 64}, luq::gptq{}).packed);
}

TEST_CASE("a file with a number that is not finite is refused where finite ones are asked for") {
  const std::string header = R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  std::vector<std::byte> file(8 + header.size() + 8);
  const std::uint64_t size = header.size();
  std::memcpy(file.data(), &size, 8);
  std::memcpy(file.data() + 8, header.data(), header.size());
  const std::uint32_t bits = nan_bits;
  std::memcpy(file.data() + 8 + header.size() + 4, &bits, 4);
  const luq::safetensors_reader reader(file, "memory");
  CHECK(error_of([&] { (void)reader.read_floats("w", {.require_finite = true}); }) == "non_finite");
  CHECK(error_of([&] { (void)reader.read_floats("w"); }) == "none");
}
