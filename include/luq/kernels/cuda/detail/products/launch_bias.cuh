// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The launch of the kernel in templates/bias.cuh.
#pragma once

#include <cuda_runtime.h>

#include "luq/kernels/cuda/detail/products/output_rows.cuh"

namespace luq::cuda::detail {

/// Writes to every output its bias.
/// @throws luq::error device_failure
template <int Threads>
void launch_bias(const output_rows& out, int rows, int tokens, cudaStream_t stream);

}  // namespace luq::cuda::detail
