// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The kernels of device_timer.hpp.
#include "device_timer.hpp"

namespace luq_bench {

namespace {

__global__ void fill_kernel(__nv_bfloat16* values, std::size_t count, std::uint32_t seed) {
  const std::size_t step = static_cast<std::size_t>(gridDim.x) * blockDim.x;
  for (std::size_t i = static_cast<std::size_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    // The finalizer of MurmurHash3 (Appleby, public domain).
    std::uint32_t bits = static_cast<std::uint32_t>(i) + seed * 0x9e3779b9u;
    bits = (bits ^ (bits >> 16)) * 0x85ebca6bu;
    bits = (bits ^ (bits >> 13)) * 0xc2b2ae35u;
    bits ^= bits >> 16;
    values[i] = __float2bfloat16(static_cast<float>(static_cast<std::int32_t>(bits)) * 0x1p-31f);
  }
}

__global__ void read_kernel(const uint4* data, std::size_t count, unsigned* sink) {
  unsigned sum = 0;
  const std::size_t step = static_cast<std::size_t>(gridDim.x) * blockDim.x;
  std::size_t i = static_cast<std::size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  for (; i + 3 * step < count; i += 4 * step) {
    const uint4 a = __ldcs(data + i);
    const uint4 b = __ldcs(data + i + step);
    const uint4 c = __ldcs(data + i + 2 * step);
    const uint4 d = __ldcs(data + i + 3 * step);
    sum += a.x ^ a.y ^ a.z ^ a.w ^ b.x ^ b.y ^ b.z ^ b.w ^ c.x ^ c.y ^ c.z ^ c.w ^ d.x ^ d.y ^ d.z ^ d.w;
  }
  for (; i < count; i += step) sum += data[i].x;
  if (sum == 0x12345678u) *sink = sum;
}

}  // namespace

void fill_randomly(__nv_bfloat16* values, std::size_t count, std::uint32_t seed, cudaStream_t stream) {
  fill_kernel<<<1024, 256, 0, stream>>>(values, count, seed);
  luq::cuda::require_success(cudaGetLastError(), "random values");
}

void read_all(const void* data, std::size_t bytes, unsigned blocks, unsigned* sink, cudaStream_t stream) {
  read_kernel<<<blocks, 256, 0, stream>>>(static_cast<const uint4*>(data), bytes / sizeof(uint4), sink);
  luq::cuda::require_success(cudaGetLastError(), "reading of memory");
}

}  // namespace luq_bench
