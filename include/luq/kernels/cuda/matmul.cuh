// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Products with packed matrices on a GPU of sm_80 or later.
//
// nvcc compiles this header with C++20 and --expt-relaxed-constexpr. Code that links luq::compiled_cuda, which has the
// kernels of the codecs of any_codec.hpp, can be compiled by any compiler and needs nvcc only to build that library.
//
//   const luq::cuda::device_matrix W(packed, stream);                        // once: the stored bytes
//   luq::cuda::matmul(W, X, tokens, Y, {.bias = b}, stream, bits);           // Y [tokens x rows] = X W^T + bias
//
//   const auto arranged = luq::cuda::arrange<luq::cuda::activation_bits::sixteen>(W, X, tokens, cols, stream);
//   luq::cuda::matmul(W, arranged, Y, {}, stream);                           // X arranged once for several matrices
//
//   const std::array<luq::cuda::product<Codec, float>, 3> products{{{&Q, q}, {&K, k}, {&V, v}}};   // in one launch
//   luq::cuda::matmul(std::span<const luq::cuda::product<Codec, float>>(products), arranged, stream);
//
// X, Y and bias are in device memory. Their numbers are float, luq::half or luq::bfloat16; the latter two have the bits
// of __half and __nv_bfloat16. Everything happens in the order of the caller's stream, and nothing waits for it. Sums
// are of integers within a chunk of columns and of floats between chunks. They are the same bits every time.
//
// On sm_90 and later a product begins to read weights while kernels ahead of it in the stream still run. Weights must
// therefore be written by copies only, as device_matrix does, and not by kernels.
//
// dequantized_matmul.cuh has products by cuBLAS, for many tokens.
//
// Products can be captured in graphs. Matrices live on the device that was current when they were made; there are no
// products over several devices.
#pragma once

#include <cuda_runtime.h>

#include <array>
#include <cstdint>
#include <span>

#include "luq/core/assert.hpp"
#include "luq/kernels/cuda/detail/products/launch_products.cuh"
#include "luq/kernels/cuda/device_activations.cuh"
#include "luq/kernels/cuda/device_matrix.cuh"
#include "luq/kernels/cuda/product_options.cuh"

namespace luq::cuda {

/// One of several products with the same activations: Y = X W^T + bias.
template <PlaneCodec Codec, class Output, class Bias = float>
struct product {
  const device_matrix<Codec>* W;
  Output* Y;                   ///< [tokens x rows] in device memory
  const Bias* bias = nullptr;  ///< [rows] in device memory, added to every token; null for none
  std::int64_t Y_stride = 0;   ///< elements from row to row of Y; 0 for rows without gaps
};

/// Products that one launch computes at most.
inline constexpr int most_products = detail::most_products;

/// Arranges activations for a matrix.
/// @param X         [tokens x cols] in device memory
/// @param X_stride  elements from row to row of X
/// @param into      made for W
/// @throws luq::error device_failure
template <PlaneCodec Codec, activation_bits Bits, class Stored>
void arrange(const device_matrix<Codec>& W, const Stored* X, std::int64_t X_stride,
             device_activations<Codec, Bits>& into, cudaStream_t stream) {
  LUQ_ASSERT(X_stride >= 0 && into.fit(W.planes()));
  detail::launch_arrangement<Codec, Bits>(W.planes(), {X, detail::number_type_of<Stored>(), X_stride}, into.view(),
                                          stream);
}

/// Arranges activations for a matrix, in new memory.
template <activation_bits Bits, PlaneCodec Codec, class Stored>
[[nodiscard]] device_activations<Codec, Bits> arrange(const device_matrix<Codec>& W, const Stored* X, int tokens,
                                                      std::int64_t X_stride, cudaStream_t stream) {
  LUQ_ASSERT(tokens >= 0);
  device_activations<Codec, Bits> result(tokens, W.planes(), stream);
  arrange(W, X, X_stride, result, stream);
  return result;
}

/// Several products with the same activations, every element of them, in one launch.
/// @param products  at most most_products, of matrices with the same columns and groups
/// @param X         arranged for one of them, or for all if the codec has one class of columns
/// @throws luq::error device_failure
template <PlaneCodec Codec, activation_bits Bits, class Output, class Bias>
void matmul(std::span<const product<Codec, Output, Bias>> products, const device_activations<Codec, Bits>& X,
            cudaStream_t stream) {
  LUQ_ASSERT(products.size() <= most_products && (column_class_count<Codec> == 1 || products.size() <= 1));
  detail::product_batch<Codec> batch{};
  bool empty = true;
  for (const auto& product : products) {
    const detail::packed_planes<Codec>& W = product.W->planes();
    LUQ_ASSERT(X.fit(W));
    empty = empty && W.rows == 0;
    batch.W[batch.count] = W;
    batch.out[batch.count] = {product.Y, product.bias, product.Y_stride != 0 ? product.Y_stride : W.rows,
                              detail::number_type_of<Output>(), detail::number_type_of<Bias>()};
    ++batch.count;
  }
  if (X.view().tokens > 0 && !empty) detail::launch_products<Codec, Bits>(batch, X.view(), stream);
}

/// Y = X W^T + bias, every element of it.
/// @param X  arranged for W, or for a matrix of the same codec and columns if that has one class of columns
/// @param Y  [tokens x rows] in device memory
/// @throws luq::error device_failure
template <PlaneCodec Codec, activation_bits Bits, class Output, class Bias = float>
void matmul(const device_matrix<Codec>& W, const device_activations<Codec, Bits>& X, Output* Y,
            const product_options<Bias>& options, cudaStream_t stream) {
  const std::array<product<Codec, Output, Bias>, 1> one{{{&W, Y, options.bias, options.Y_stride}}};
  matmul(std::span<const product<Codec, Output, Bias>>(one), X, stream);
}

/// Arranges activations and multiplies them.
/// @param X  [tokens x cols] in device memory, rows without gaps
template <PlaneCodec Codec, class Stored, class Output, class Bias = float>
void matmul(const device_matrix<Codec>& W, const Stored* X, int tokens, Output* Y, const product_options<Bias>& options,
            cudaStream_t stream, activation_bits bits) {
  if (bits == activation_bits::sixteen) {
    matmul(W, arrange<activation_bits::sixteen>(W, X, tokens, W.cols(), stream), Y, options, stream);
  } else {
    matmul(W, arrange<activation_bits::eight>(W, X, tokens, W.cols(), stream), Y, options, stream);
  }
}

}  // namespace luq::cuda

#ifndef LUQ_COMPILED_CUDA
#include "luq/kernels/cuda/templates/matmul.cuh"
#endif
