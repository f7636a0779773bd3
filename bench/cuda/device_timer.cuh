// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Times on a GPU, and what it can do at most: how fast it reads, and how fast it multiplies matrices in bf16.
#pragma once

#include <cublas_v2.h>
#include <cuda_bf16.h>

#include <algorithm>
#include <cstdint>
#include <luq/core/cuda/device_memory.cuh>
#include <luq/estimators/cuda/device_blas.cuh>
#include <vector>

namespace luq_bench {

/// Microseconds of one call among `calls` in a row: the median of `rounds`, after one that is not counted.
template <class Call>
[[nodiscard]] double microseconds(cudaStream_t stream, int calls, const Call& call, int rounds = 7) {
  cudaEvent_t begin = nullptr;
  cudaEvent_t end = nullptr;
  luq::cuda::require_success(cudaEventCreate(&begin), "event");
  luq::cuda::require_success(cudaEventCreate(&end), "event");
  std::vector<double> times;
  for (int round = 0; round <= rounds; ++round) {
    luq::cuda::require_success(cudaEventRecord(begin, stream), "event");
    for (int i = 0; i < calls; ++i) call(i);
    luq::cuda::require_success(cudaEventRecord(end, stream), "event");
    luq::cuda::require_success(cudaEventSynchronize(end), "timed work");
    float milliseconds = 0;
    luq::cuda::require_success(cudaEventElapsedTime(&milliseconds, begin, end), "event");
    if (round > 0) times.push_back(1e3 * static_cast<double>(milliseconds) / calls);
  }
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

/// Reads everything and writes next to nothing.
__global__ void read_all(const uint4* data, std::size_t count, unsigned* sink) {
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

/// Bytes a second of reading 2 GiB.
[[nodiscard]] inline double read_bandwidth(const cudaDeviceProp& device, cudaStream_t stream) {
  const std::size_t bytes = std::size_t{2} << 30;
  luq::cuda::device_array<std::byte> data(bytes, stream);
  luq::cuda::device_array<unsigned> sink(1, stream);
  luq::cuda::require_success(cudaMemsetAsync(data.data(), 1, bytes, stream), "memory to read");
  const double time = microseconds(stream, 3, [&](int) {
    read_all<<<static_cast<unsigned>(device.multiProcessorCount * 8), 256, 0, stream>>>(
        reinterpret_cast<const uint4*>(data.data()), bytes / sizeof(uint4), sink.data());
  });
  return static_cast<double>(bytes) / (time * 1e-6);
}

/// cuBLAS on one stream.
class blas {
 public:
  explicit blas(cudaStream_t stream) {
    luq::cuda::detail::require_success(cublasCreate(&handle_), "handle");
    luq::cuda::detail::require_success(cublasSetStream(handle_, stream), "stream");
  }
  ~blas() { cublasDestroy(handle_); }
  blas(const blas&) = delete;
  blas& operator=(const blas&) = delete;

  /// Y [tokens x out] = X [tokens x in] W^T, W [out x in], all by rows.
  void multiply(const __nv_bfloat16* W, const __nv_bfloat16* X, __nv_bfloat16* Y, int out, int in, int tokens) const {
    const float one = 1;
    const float zero = 0;
    luq::cuda::detail::require_success(
        cublasGemmEx(handle_, CUBLAS_OP_T, CUBLAS_OP_N, out, tokens, in, &one, W, CUDA_R_16BF, in, X, CUDA_R_16BF, in,
                     &zero, Y, CUDA_R_16BF, out, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT),
        "product");
  }

 private:
  cublasHandle_t handle_ = nullptr;
};

/// Operations a second of a bf16 product of matrices of 8192, a multiplication and an addition being two.
[[nodiscard]] inline double matrix_rate(const blas& products, cudaStream_t stream) {
  constexpr int side = 8192;
  const std::size_t size = static_cast<std::size_t>(side) * side;
  luq::cuda::device_array<__nv_bfloat16> A(size, stream);
  luq::cuda::device_array<__nv_bfloat16> B(size, stream);
  luq::cuda::device_array<__nv_bfloat16> C(size, stream);
  // Values matter to the power that multiplying takes: these are small numbers of both signs.
  luq::cuda::require_success(cudaMemsetAsync(A.data(), 0x3c, size * 2, stream), "matrix");
  luq::cuda::require_success(cudaMemsetAsync(B.data(), 0xbc, size * 2, stream), "matrix");
  const double time =
      microseconds(stream, 5, [&](int) { products.multiply(A.data(), B.data(), C.data(), side, side, side); });
  return 2.0 * side * side * static_cast<double>(side) / (time * 1e-6);
}

}  // namespace luq_bench
