// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Products with packed matrices for many tokens, by cuBLAS: weights are written as 16-bit numbers, then multiplied.
//
//   luq::cuda::dequantized_matmul(blas, W, X, tokens, Y, {.bias = b}, stream);   // Y [tokens x rows] = X W^T + bias
//
// Weights are read once and written once as 16-bit numbers, 2 + bits / 8 bytes each. From a few hundred tokens on this
// costs less than cuBLAS gains over products of integers (matmul.cuh). Activations are not rounded to integers. Weights
// are rounded to the type of X: by at most 2^-11 of each for half, 2^-8 for bfloat16.
//
// A product takes 2 rows cols bytes of device memory while it runs.
#pragma once

#include <algorithm>
#include <type_traits>

#include "luq/core/cuda/blas.cuh"
#include "luq/kernels/cuda/dequantize.cuh"
#include "luq/kernels/cuda/detail/products/launch_bias.cuh"
#include "luq/kernels/cuda/product_options.cuh"

namespace luq::cuda {

/// Y = X W^T + bias, every element of it, summed in float.
/// @param blas  on `stream`
/// @param X     [tokens x cols] of half or bfloat16 in device memory, rows without gaps
/// @param Y     [tokens x rows] in device memory, of the type of X or of float
/// @throws luq::error device_failure
template <PlaneCodec Codec, class Stored, class Output, class Bias = float>
void dequantized_matmul(cublasHandle_t blas, const device_matrix<Codec>& W, const Stored* X, int tokens, Output* Y,
                        const product_options<Bias>& options, cudaStream_t stream) {
  static_assert(std::is_same_v<Stored, half> || std::is_same_v<Stored, bfloat16>);
  static_assert(std::is_same_v<Output, Stored> || std::is_same_v<Output, float>);
  const auto rows = static_cast<int>(W.rows());
  const auto cols = static_cast<int>(W.cols());
  if (rows == 0 || tokens == 0) return;
  const std::int64_t stride = options.Y_stride != 0 ? options.Y_stride : rows;
  device_array<Stored> weights(static_cast<std::size_t>(W.rows() * W.cols()), stream);
  dequantize(W, weights.data(), cols, stream);
  if (options.bias != nullptr) {
    detail::launch_bias<256>(
        {Y, options.bias, stride, detail::number_type_of<Output>(), detail::number_type_of<Bias>()}, rows, tokens,
        stream);
  }
  const int leading = (std::max)(cols, 1);
  const float one = 1;
  const float of_Y = options.bias != nullptr ? 1 : 0;
  // To cuBLAS, which counts by columns, W is [cols x rows], X [cols x tokens] and Y [rows x tokens].
  require_success(cublasGemmEx(blas, CUBLAS_OP_T, CUBLAS_OP_N, rows, tokens, cols, &one, weights.data(),
                               data_type<Stored>, leading, X, data_type<Stored>, leading, &of_Y, Y, data_type<Output>,
                               static_cast<int>(stride), CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT),
                  "product with dequantized weights");
}

}  // namespace luq::cuda

#ifndef LUQ_COMPILED_CUDA
#include "luq/kernels/cuda/templates/bias.cuh"
#endif
