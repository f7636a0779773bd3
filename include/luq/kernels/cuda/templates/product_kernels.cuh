// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The kernels of products: arrangement of activations, products of few tokens, products of many.
#pragma once

#ifndef __CUDACC__
#error "luq's CUDA kernels: compile with nvcc, or link luq::compiled_cuda, which has them compiled"
#endif

#include <cstddef>

#include "luq/kernels/cuda/detail/activations/token_arrangement.cuh"
#include "luq/kernels/cuda/detail/products/decode_product.cuh"
#include "luq/kernels/cuda/detail/products/prefill_product.cuh"
#include "luq/kernels/cuda/detail/products/product_batch.cuh"
#include "luq/kernels/cuda/detail/warp/launch.cuh"

namespace luq::cuda::detail {

inline constexpr int arranging_warps = 4;  ///< of a block

template <activation_bits Bits, arithmetic Arithmetic, PlaneCodec Codec>
__global__ void arrange_kernel(const __grid_constant__ packed_planes<Codec> W,
                               const __grid_constant__ activation_rows X, arranged_activations out) {
  let_successor_begin();
  wait_for_predecessors();
  const int warp = static_cast<int>(blockIdx.x) * arranging_warps + static_cast<int>(threadIdx.x) / lanes_of_warp;
  if (warp >= W.chunks() * out.tokens) return;
  arrange_token<device_warp, Bits, Arithmetic>(W, X, warp / out.tokens, warp % out.tokens, out);
}

/// @tparam Product  a decode_product
template <class Product, int Warps>
__global__ void __launch_bounds__(Warps* lanes_of_warp)
    decode_kernel(const __grid_constant__ product_batch<typename Product::Codec> batch,
                  const __grid_constant__ arranged_activations arranged) {
  extern __shared__ uint4 memory[];
  let_successor_begin();
  const int p = batch.of_block(static_cast<int>(blockIdx.x));
  const auto W = batch.W[p];  // copies, because memory is read again after every asynchronous copy
  const auto X = arranged;
  const int half_tile = (static_cast<int>(blockIdx.x) - batch.first_block[p]) * Product::half_tiles_of_block;
  const int first_token = static_cast<int>(blockIdx.y) * Product::tokens_of_block;
  const int thread = static_cast<int>(threadIdx.x);
  auto* const bytes = reinterpret_cast<std::byte*>(memory);
  Product::accumulate(W, X, half_tile, first_token, thread / lanes_of_warp, Warps, bytes,
                      [] { wait_for_predecessors(); });
  __syncthreads();
  Product::finish(W, X.tokens, half_tile, first_token, thread, Warps * lanes_of_warp, Warps, bytes, batch.out[p]);
}

/// @tparam Product  a prefill_product
/// @tparam Stages   chunks in shared memory
template <class Product, int Stages>
__global__ void __launch_bounds__(Product::warps* lanes_of_warp, Product::blocks_of_multiprocessor)
    prefill_kernel(const __grid_constant__ product_batch<typename Product::Codec> batch,
                   const __grid_constant__ arranged_activations arranged) {
  extern __shared__ uint4 memory[];
  let_successor_begin();
  const int p = batch.of_block(static_cast<int>(blockIdx.x));
  const auto W = batch.W[p];  // copies, as above
  const auto X = arranged;
  const int first_half_tile = (static_cast<int>(blockIdx.x) - batch.first_block[p]) * Product::half_tiles_of_block;
  const int first_token = static_cast<int>(blockIdx.y) * Product::tokens_of_block;
  const int warp = static_cast<int>(threadIdx.x) / lanes_of_warp;
  const int chunks = W.chunks();
  const weight_rows<device_warp, typename Product::Codec> rows(W, first_half_tile + warp / Product::token_warps);
  auto* const stages = reinterpret_cast<std::byte*>(memory);
  wait_for_predecessors();
  unrolled<Stages - 1>([&](auto i) {
    if (i < chunks) Product::request(W, X, rows, first_token, warp, i, stages + i * Product::stage_bytes);
    device_warp::close_group();
  });
  typename Product::chunk::sums_of_warp sums;
  Product::chunk::clear(sums);
  int stage = 0;
  int free = Stages - 1;
  for (int chunk = 0; chunk < chunks; ++chunk) {
    device_warp::wait_for_copies<Stages - 2>();
    __syncthreads();  // all warps are done with the stage that is requested now, and see this one
    const std::byte* const staged = stages + stage * Product::stage_bytes;
    const auto words = Product::words(warp, staged);
    const int ahead = chunk + Stages - 1;
    if (ahead < chunks) {
      Product::request(W, X, rows, first_token, warp, ahead, stages + free * Product::stage_bytes);
    }
    device_warp::close_group();
    Product::add(W, words, warp, staged, sums);
    free = stage;
    stage = stage + 1 == Stages ? 0 : stage + 1;
  }
  Product::finish(W, X.tokens, first_half_tile, first_token, warp, sums, batch.out[p]);
}

}  // namespace luq::cuda::detail
