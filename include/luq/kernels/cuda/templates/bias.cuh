// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The kernel that writes the bias of a product to its outputs, before cuBLAS adds to them.
#pragma once

#ifndef __CUDACC__
#error "luq's CUDA kernels: compile with nvcc, or link luq::compiled_cuda, which has them compiled"
#endif

#include "luq/core/cuda/device_memory.cuh"
#include "luq/kernels/cuda/detail/products/launch_bias.cuh"

namespace luq::cuda::detail {

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
