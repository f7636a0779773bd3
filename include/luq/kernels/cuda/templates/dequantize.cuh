// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The kernels that write weights as numbers, and the bias of products with them.
#pragma once

#ifndef __CUDACC__
#error "luq's CUDA kernels: compile with nvcc, or link luq::compiled_cuda, which has them compiled"
#endif

#include <cstdint>
#include <limits>

#include "luq/core/cuda/device_memory.cuh"
#include "luq/core/error.hpp"
#include "luq/kernels/cuda/detail/products/launch_products.cuh"

namespace luq::cuda::detail {

inline constexpr int dequantizing_warps = 4;  ///< of a block

template <PlaneCodec Codec, class Stored>
__global__ void __launch_bounds__(dequantizing_warps* lanes_of_warp)
    dequantize_kernel(const __grid_constant__ packed_planes<Codec> W,
                      const __grid_constant__ weight_matrix<Stored> out) {
  const unsigned warp = blockIdx.x * dequantizing_warps + threadIdx.x / lanes_of_warp;
  const auto chunks = static_cast<unsigned>(W.chunks());
  const auto half_tile = static_cast<int>(warp / chunks);
  if (half_tile >= W.half_tiles()) return;
  dequantized_chunk<device_warp, Codec, Stored>(W, half_tile, static_cast<int>(warp % chunks)).write(out);
}

template <PlaneCodec Codec, class Stored>
void launch_dequantization(const packed_planes<Codec>& W, const weight_matrix<Stored>& out, cudaStream_t stream) {
  const std::int64_t warps = std::int64_t{W.half_tiles()} * W.chunks();
  if (warps == 0) return;
  if (warps > (std::numeric_limits<std::int32_t>::max)()) {
    fail(errc::unsupported, "packed matrix on a GPU: ", W.rows, " x ", W.cols, " weights are too many for one launch");
  }
  const std::int64_t blocks = (warps + dequantizing_warps - 1) / dequantizing_warps;
  dequantize_kernel<<<static_cast<unsigned>(blocks), dequantizing_warps * lanes_of_warp, 0, stream>>>(W, out);
  require_success(cudaGetLastError(), "launch of dequantization");
}

/// A block writes the bias of one token.
template <int Threads>
__global__ void bias_kernel(const __grid_constant__ output_rows out, int rows) {
  for (int row = static_cast<int>(threadIdx.x); row < rows; row += Threads) {
    out.write(static_cast<int>(blockIdx.x), row, out.bias_of(row));
  }
}

template <int Threads>
void launch_bias(const output_rows& out, int rows, int tokens, cudaStream_t stream) {
  bias_kernel<Threads><<<static_cast<unsigned>(tokens), Threads, 0, stream>>>(out, rows);
  require_success(cudaGetLastError(), "launch of the bias");
}

}  // namespace luq::cuda::detail
