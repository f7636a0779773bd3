// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Weights of a packed matrix as numbers in device memory.
//
//   luq::cuda::dequantize(W, out, W.cols(), stream);      // out [rows x cols] of luq::bfloat16, luq::half or float
//
// They are those of packed_matrix, rounded to the type that is asked for.
#pragma once

#include <limits>
#include <type_traits>

#include "luq/kernels/cuda/dequantized_chunk.cuh"
#include "luq/kernels/cuda/device_matrix.cuh"

namespace luq::cuda {

namespace detail {

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

}  // namespace detail

/// Writes every weight.
/// @param out     [rows x cols] of float, half or bfloat16 in device memory
/// @param stride  elements from row to row of out, >= cols
/// @throws luq::error device_failure; unsupported for more than 2^43 weights
template <PlaneCodec Codec, class Stored>
void dequantize(const device_matrix<Codec>& W, Stored* out, std::int64_t stride, cudaStream_t stream) {
  const packed_planes<Codec>& planes = W.planes();
  LUQ_ASSERT(stride >= planes.cols);
  const std::int64_t warps = std::int64_t{planes.half_tiles()} * planes.chunks();
  if (warps == 0) return;
  if (warps > (std::numeric_limits<std::int32_t>::max)()) {
    fail(errc::unsupported, "packed matrix on a GPU: ", planes.rows, " x ", planes.cols,
         " weights are too many for one launch");
  }
  const std::int64_t blocks = (warps + detail::dequantizing_warps - 1) / detail::dequantizing_warps;
  const bool aligned = reinterpret_cast<std::uintptr_t>(out) % (4 * sizeof(Stored)) == 0 && stride % 4 == 0 &&
                       (planes.groups == 1 || planes.group % 4 == 0);
  const weight_matrix<Stored> rows{out, stride, aligned && planes.stored_columns == nullptr};
  detail::dequantize_kernel<<<static_cast<unsigned>(blocks), detail::dequantizing_warps * lanes_of_warp, 0, stream>>>(
      planes, rows);
  require_success(cudaGetLastError(), "launch of dequantization");
}

}  // namespace luq::cuda
