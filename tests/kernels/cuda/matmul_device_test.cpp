// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Products on a GPU, if this machine has one: against exact products, within what rounding of activations allows.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <luq/codecs/binary_coding_codec.hpp>
#include <luq/codecs/int_codec.hpp>
#include <luq/codecs/sign_codec.hpp>
#include <luq/core/random_matrix.hpp>
#include <luq/kernels/cuda/matmul.cuh>
#include <random>
#include <span>
#include <vector>

#include "codecs/random_coded_matrix.hpp"
#include "device_test_support.hpp"
#include "kernels/cuda/plane_codec_list.hpp"
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
  CAPTURE(luq::codec_name(codec));
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
  auto Y = luq_test::poisoned<Stored>(tokens * rows, order);
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
  luq_test::for_each_plane_codec(128, [](const auto& codec) { check_codec(codec); });
}

TEST_CASE("matrices of so many rows that blocks differ") {
  if (!luq_test::has_device()) return;
  std::random_device seeds;
  for (const luq::index rows : {2000, 9000, 25000, 50000}) {
    check<activation_bits::sixteen, luq::half>(luq::sign_codec{.group = 128}, rows, 512, 1, seeds());
    check<activation_bits::eight, luq::half>(luq::binary_coding_codec{.group = 128}, rows, 384, 1, seeds());
    check<activation_bits::sixteen, luq::half>(luq::int_codec<4>{.group = 128}, rows, 256, 3, seeds());
  }
}

TEST_CASE("several matrices in one launch, with strides and biases, or without") {
  if (!luq_test::has_device()) return;
  using codec_type = luq::int_codec<4>;
  using luq::cuda::product;
  const luq_test::device_stream order;
  std::random_device seeds;
  const std::uint64_t seed = seeds();
  CAPTURE(seed);
  constexpr luq::index cols = 384;
  const std::array<luq::index, 3> rows{96, 33, 200};
  constexpr luq::index stride = 400;
  for (const luq::index tokens : {1, 5, 40}) {
    CAPTURE(tokens);
    const luq::matrix X = luq::random_normal_matrix(tokens, cols, luq::counter_rng(seed));
    const auto device_X = luq_test::on_device(stored<float>(X), order);
    const luq::matrix bias = luq::random_normal_matrix(1, 200, luq::counter_rng(seed + 1));
    const auto device_bias = luq_test::on_device(stored<float>(bias), order);
    std::vector<luq_test::weights_and_terms> weights;
    std::vector<luq::cuda::device_matrix<codec_type>> W;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto coded = luq_test::random_coded_matrix(codec_type{.group = 128}, rows[i], cols, seed + 2 + i);
      weights.push_back(luq_test::weights_of(coded));
      W.emplace_back(luq::packed_matrix<codec_type>(coded), order);
    }
    auto Y = luq_test::poisoned<float>(tokens * stride, order);
    const auto arranged =
        luq::cuda::arrange<activation_bits::sixteen>(W[0], device_X.data(), static_cast<int>(tokens), cols, order);
    const std::array<product<codec_type, float, float>, 3> products{
        {{&W[0], Y.data(), device_bias.data(), stride},
         {&W[1], Y.data() + 96, nullptr, stride},
         {&W[2], Y.data() + 129, device_bias.data(), stride}}};
    luq::cuda::matmul(std::span<const product<codec_type, float, float>>(products), arranged, order);
    const luq::matrix outputs = as_floats(luq_test::fetch(Y, order), tokens, stride);
    luq::index first = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const luq::matrix none = luq::matrix::Zero(1, rows[i]);
      const auto expected =
          luq_test::exact_product(weights[i].W, X, i == 1 ? none : luq::matrix(bias.leftCols(rows[i])));
      const auto got = outputs.middleCols(first, rows[i]).cast<double>();
      CHECK((got - expected).norm() <= 1e-3 * expected.norm());
      first += rows[i];
    }
    CHECK(outputs.rightCols(stride - first).array().isNaN().all());
  }
}

TEST_CASE("kernels that overlap write and read the same activations in their order") {
  if (!luq_test::has_device()) return;
  using codec_type = luq::sign_codec;
  const luq_test::device_stream order;
  constexpr luq::index cols = 1024;
  constexpr luq::index rows = 5000;
  constexpr int rounds = 200;
  const luq::cuda::device_matrix<codec_type> W(
      luq::packed_matrix<codec_type>(luq_test::random_coded_matrix(codec_type{.group = 128}, rows, cols, 3)), order);
  const auto X =
      luq_test::on_device(stored<float>(luq::random_normal_matrix(rounds, cols, luq::counter_rng(4))), order);
  luq::cuda::device_array<float> together(static_cast<std::size_t>(rounds * rows), order);
  luq::cuda::device_array<float> apart(together.size(), order);
  luq::cuda::device_activations<codec_type, activation_bits::sixteen> arranged(1, W.planes(), order);
  const luq::cuda::product_options<float> options;
  for (int i = 0; i < rounds; ++i) {
    luq::cuda::arrange(W, X.data() + i * cols, cols, arranged, order);
    luq::cuda::matmul(W, arranged, together.data() + i * rows, options, order);
  }
  for (int i = 0; i < rounds; ++i) {
    luq::cuda::arrange(W, X.data() + i * cols, cols, arranged, order);
    luq::cuda::require_success(cudaStreamSynchronize(order), "arrangement");
    luq::cuda::matmul(W, arranged, apart.data() + i * rows, options, order);
    luq::cuda::require_success(cudaStreamSynchronize(order), "product");
  }
  CHECK(luq_test::fetch(together, order) == luq_test::fetch(apart, order));
}

TEST_CASE("outputs and activations of other types") {
  if (!luq_test::has_device()) return;
  check<activation_bits::sixteen, luq::bfloat16>(luq::sign_codec{.group = 128}, 1024, 1024, 1, 1);
  check<activation_bits::sixteen, float>(luq::sign_codec{.group = 64}, 65, 129, 100, 2);
}
