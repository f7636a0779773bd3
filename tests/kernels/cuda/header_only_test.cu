// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Kernels that nvcc compiles with the unit that launches them, for a codec that luq::compiled_cuda does not know.
// Products of other codecs are tested in matmul_device_test.cpp.
#include <doctest/doctest.h>

#include <luq/codecs/sign_codec.hpp>
#include <luq/core/random_matrix.hpp>
#include <luq/kernels/cuda/dequantize.cuh>
#include <luq/kernels/cuda/matmul.cuh>

#include "codecs/random_coded_matrix.hpp"
#include "device_test_support.hpp"
#include "kernels/cuda/product_bound.hpp"

TEST_CASE("a codec that luq has no kernels of is multiplied, and its weights are written, on a GPU") {
  if (!luq_test::has_device()) return;
  using codec_type = luq::basic_sign_codec<float>;
  constexpr luq::index rows = 100;
  constexpr luq::index cols = 300;
  const luq_test::device_stream order;
  const auto coded = luq_test::random_coded_matrix(codec_type{.group = 128}, rows, cols, 1);
  const luq::cuda::device_matrix<codec_type> W(luq::packed_matrix<codec_type>(coded), order);
  const luq::matrix weights = luq_test::weights_of(coded).W;
  for (const luq::index tokens : {1, 5, 40}) {
    const luq::matrix X = luq::random_normal_matrix(tokens, cols, luq::counter_rng(2));
    const auto device_X = luq_test::on_device(luq_test::stored<float>(X), order);
    auto Y = luq_test::poisoned<float>(tokens * rows, order);
    const auto arranged = luq::cuda::arrange<luq::cuda::activation_bits::eight>(W, device_X.data(),
                                                                                static_cast<int>(tokens), cols, order);
    luq::cuda::matmul(W, arranged, Y.data(), luq::cuda::product_options<float>{}, order);
    const luq::matrix outputs = luq_test::as_floats(luq_test::fetch(Y, order), tokens, rows);
    const luq::basic_matrix<double> expected = luq_test::exact_product(weights, X, luq::matrix::Zero(1, rows));
    CHECK((outputs.cast<double>() - expected).norm() <= 2e-2 * expected.norm());
  }
  auto written = luq_test::poisoned<float>(rows * cols, order);
  luq::cuda::dequantize(W, written.data(), cols, order);
  CHECK(luq_test::as_floats(luq_test::fetch(written, order), rows, cols) == weights);
}
