// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Weights of a packed matrix as numbers in device memory.
//
//   luq::cuda::dequantize(W, out, W.cols(), stream);      // out [rows x cols] of luq::bfloat16, luq::half or float
//
// Weights are those of packed_matrix, rounded to the type of `out`.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "luq/core/assert.hpp"
#include "luq/kernels/cuda/detail/products/launch_products.cuh"
#include "luq/kernels/cuda/device_matrix.cuh"

namespace luq::cuda {

/// Writes every weight.
/// @param out     [rows x cols] of float, half or bfloat16 in device memory
/// @param stride  elements from row to row of out, >= cols
/// @throws luq::error device_failure; unsupported for more than 2^43 weights
template <PlaneCodec Codec, class Stored>
void dequantize(const device_matrix<Codec>& W, Stored* out, std::int64_t stride, cudaStream_t stream) {
  const detail::packed_planes<Codec>& planes = W.planes();
  LUQ_ASSERT(stride >= planes.cols);
  const bool aligned = reinterpret_cast<std::uintptr_t>(out) % (4 * sizeof(Stored)) == 0 && stride % 4 == 0 &&
                       (planes.groups == 1 || planes.group % 4 == 0);
  const detail::weight_matrix<Stored> rows{out, stride, aligned && planes.stored_columns == nullptr};
  detail::launch_dequantization(planes, rows, stream);
}

}  // namespace luq::cuda

#ifndef LUQ_COMPILED_CUDA
#include "luq/kernels/cuda/templates/dequantize.cuh"
#endif
