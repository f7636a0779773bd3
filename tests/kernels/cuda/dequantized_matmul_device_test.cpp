// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Dequantized weights and products with them on a GPU, if this machine has one.
#include <doctest/doctest.h>

#include <cstdint>
#include <luq/core/random_matrix.hpp>
#include <luq/kernels/cuda/dequantized_matmul.cuh>
#include <random>

#include "codecs/random_coded_matrix.hpp"
#include "device_test_support.hpp"
#include "estimators/cuda/blas_handle.hpp"
#include "kernels/cuda/plane_codec_list.hpp"
#include "kernels/cuda/product_bound.hpp"

using luq_test::as_floats;
using luq_test::fetch;
using luq_test::poisoned;
using luq_test::stored;

namespace {

/// All weights to the bit, and a product.
template <class Stored, class Output, class Codec>
void check(const Codec& codec, luq::index rows, luq::index cols, luq::index tokens, std::uint64_t seed) {
  CAPTURE(luq::codec_name(codec));
  CAPTURE(seed);
  const luq_test::device_stream order;
  const luq_test::blas_handle blas(order);
  const auto coded = luq_test::random_coded_matrix(codec, rows, cols, seed);
  const luq::cuda::device_matrix<Codec> W(luq::packed_matrix<Codec>(coded), order);
  const luq::matrix weights = luq_test::weights_of(coded).W;

  const luq::index stride = cols + 4;
  auto written = poisoned<Stored>(rows * stride, order);
  luq::cuda::dequantize(W, written.data(), stride, order);
  const luq::matrix dequantized = as_floats(fetch(written, order), rows, stride);
  const luq::matrix rounded = as_floats(stored<Stored>(weights), rows, cols);
  CHECK(dequantized.leftCols(cols) == rounded);
  CHECK(dequantized.rightCols(4).array().isNaN().all());

  const auto stored_X = stored<Stored>(luq::random_normal_matrix(tokens, cols, luq::counter_rng(seed + 1)));
  const luq::matrix X = as_floats(stored_X, tokens, cols);
  const luq::matrix bias = luq::random_normal_matrix(1, rows, luq::counter_rng(seed + 2));
  const auto device_X = luq_test::on_device(stored_X, order);
  const auto device_bias = luq_test::on_device(stored<float>(bias), order);
  for (const float* of_Y : {static_cast<const float*>(nullptr), static_cast<const float*>(device_bias.data())}) {
    auto Y = poisoned<Output>(tokens * (rows + 3), order);
    luq::cuda::dequantized_matmul(blas, W, device_X.data(), static_cast<int>(tokens), Y.data(),
                                  luq::cuda::product_options<float>{.bias = of_Y, .Y_stride = rows + 3}, order);
    const luq::matrix outputs = as_floats(fetch(Y, order), tokens, rows + 3);
    const luq::matrix none = luq::matrix::Zero(1, rows);
    const auto expected = luq_test::exact_product(weights, X, of_Y != nullptr ? bias : none);
    CHECK((outputs.leftCols(rows).template cast<double>() - expected).norm() <= 1e-2 * expected.norm());
    CHECK(outputs.rightCols(3).array().isNaN().all());
  }
}

template <class Codec>
void check_codec(const Codec& codec) {
  std::random_device seeds;  // other inputs every time; a failure names its seed
  check<luq::half, luq::half>(codec, 300, 520, 100, seeds());
  check<luq::bfloat16, float>(codec, 192, 641, 512, seeds());
}

}  // namespace

TEST_CASE("dequantized weights of every codec on a GPU, and their products") {
  if (!luq_test::has_device()) return;
  luq_test::for_each_plane_codec(128, [](const auto& codec) { check_codec(codec); });
}
