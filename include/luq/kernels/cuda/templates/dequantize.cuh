// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The kernels that write weights as numbers.
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

}  // namespace luq::cuda::detail
