// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Products on a GPU, if this machine has one: against exact products, within what rounding of activations allows.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <luq/codecs/billm_codec.hpp>
#include <luq/codecs/int_codec.hpp>
#include <luq/codecs/lut2_codec.hpp>
#include <luq/codecs/sign_codec.hpp>
#include <luq/codecs/ternary_codec.hpp>
#include <luq/core/random.hpp>
#include <luq/kernels/cuda/matmul.cuh>
#include <random>

#include "codecs/random_coded_matrix.hpp"
#include "device_test_support.cuh"
#include "kernels/cuda/product_bound.hpp"

using luq::cuda::activation_bits;
using luq_test::as_floats;
using luq_test::stored;

namespace {

/// Relative rounding of outputs.
template <class Stored>
constexpr double unit_of_output = std::is_same_v<Stored, float>       ? 0x1p-24
                                  : std::is_same_v<Stored, luq::half> ? 0x1p-11
                                                                      : 0x1p-8;

template <activation_bits Bits, class Stored, class Codec>
void check(const Codec& codec, luq::index rows, luq::index cols, luq::index tokens, std::uint64_t seed) {
  CAPTURE(codec.name());
  CAPTURE(rows);
  CAPTURE(cols);
  CAPTURE(tokens);
  CAPTURE(seed);
  const luq_test::device_stream order;
  const auto coded = luq_test::random_coded_matrix(codec, rows, cols, seed);
  const auto weights = luq_test::weights_of(coded);
  const auto stored_X = stored<Stored>(luq::random_normal_matrix(tokens, cols, luq::counter_rng(seed + 1)));
  const auto stored_bias = stored<Stored>(luq::random_normal_matrix(1, rows, luq::counter_rng(seed + 2)));
  const luq::matrix X = as_floats(stored_X, tokens, cols);
  const auto expected = luq_test::exact_product(weights.W, X, as_floats(stored_bias, 1, rows));

  const luq::cuda::device_matrix<Codec> W(luq::packed_matrix<Codec>(coded), order);
  const auto device_X = luq_test::on_device(stored_X, order);
  const auto device_bias = luq_test::on_device(stored_bias, order);
  luq::cuda::device_array<Stored> Y(static_cast<std::size_t>(tokens * rows), order);
  luq::cuda::require_success(cudaMemsetAsync(Y.data(), 0xff, Y.size() * sizeof(Stored), order), "poison");
  luq::cuda::matmul(W, device_X.data(), static_cast<int>(tokens), Y.data(),
                    luq::cuda::product_options<Stored>{.bias = device_bias.data()}, order, Bits);
  const luq::index group = luq::group_size(codec, cols);
  const luq::matrix outputs = as_floats(luq_test::fetch(Y, order), tokens, rows);
  luq::index wrong = 0;
  for (luq::index t = 0; t < tokens; ++t) {
    for (luq::index r = 0; r < rows; ++r) {
      const double difference = std::abs(static_cast<double>(outputs(t, r)) - expected(t, r));
      const double bound = luq_test::product_error_bound<Bits>(weights, X, group, r, t) +
                           unit_of_output<Stored> * std::abs(expected(t, r)) + 1e-6;
      if (!(difference <= bound)) ++wrong;
    }
  }
  CHECK(wrong == 0);
  if (Bits == activation_bits::sixteen) {
    CHECK((outputs.cast<double>() - expected).norm() <= 1e-2 * expected.norm());
  }
}

template <class Codec>
void check_codec(const Codec& codec) {
  std::random_device seeds;  // other inputs every time; a failure names its seed
  for (luq::index tokens = 1; tokens <= 16; ++tokens) {
    check<activation_bits::sixteen, luq::half>(codec, 300, 520, tokens, seeds());
  }
  for (const luq::index tokens : {1, 17, 200, 512}) {
    check<activation_bits::eight, luq::bfloat16>(codec, 192, 640, tokens, seeds());
  }
}

}  // namespace

TEST_CASE("products of every codec on a GPU") {
  if (!luq_test::has_device()) return;
  check_codec(luq::sign_codec{.group = 128});
  check_codec(luq::int_codec<2>{.group = 128});
  check_codec(luq::int_codec<4>{.group = 128});
  check_codec(luq::ternary_codec{.group = 128});
  check_codec(luq::lut2_codec{.group = 128});
  check_codec(luq::billm_codec{.group = 128});
}

TEST_CASE("outputs and activations of other types") {
  if (!luq_test::has_device()) return;
  check<activation_bits::sixteen, luq::bfloat16>(luq::sign_codec{.group = 128}, 1024, 1024, 1, 1);
  check<activation_bits::sixteen, float>(luq::sign_codec{.group = 64}, 65, 129, 100, 2);
}
