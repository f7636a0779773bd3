// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Times on a GPU, and what it can do at most: how fast it reads and copies, and how fast it multiplies matrices in
// bf16. Calls are captured in a graph, as decoders launch theirs, so that the host's time for a launch is not measured.
#pragma once

#include <cublas_v2.h>
#include <cuda_bf16.h>

#include <algorithm>
#include <cstdint>
#include <luq/core/cuda/blas.cuh>
#include <luq/core/cuda/device_memory.cuh>
#include <vector>

namespace luq_bench {

/// Microseconds that work takes on a stream: the median of `rounds`, after one that is not counted.
template <class Work>
[[nodiscard]] double microseconds_of_work(cudaStream_t stream, const Work& work, int rounds = 9) {
  cudaEvent_t begin = nullptr;
  cudaEvent_t end = nullptr;
  luq::cuda::require_success(cudaEventCreate(&begin), "event");
  luq::cuda::require_success(cudaEventCreate(&end), "event");
  std::vector<double> times;
  for (int round = 0; round <= rounds; ++round) {
    luq::cuda::require_success(cudaEventRecord(begin, stream), "event");
    work();
    luq::cuda::require_success(cudaEventRecord(end, stream), "event");
    luq::cuda::require_success(cudaEventSynchronize(end), "timed work");
    float milliseconds = 0;
    luq::cuda::require_success(cudaEventElapsedTime(&milliseconds, begin, end), "event");
    if (round > 0) times.push_back(1e3 * static_cast<double>(milliseconds));
  }
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

/// Microseconds of one call among `calls` in a row, all in one graph.
template <class Call>
[[nodiscard]] double microseconds(cudaStream_t stream, int calls, const Call& call) {
  cudaGraph_t graph = nullptr;
  luq::cuda::require_success(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "capture");
  for (int i = 0; i < calls; ++i) call(i);
  luq::cuda::require_success(cudaStreamEndCapture(stream, &graph), "capture");
  cudaGraphExec_t executable = nullptr;
  luq::cuda::require_success(cudaGraphInstantiate(&executable, graph, 0), "graph");
  const double time =
      microseconds_of_work(stream, [&] { luq::cuda::require_success(cudaGraphLaunch(executable, stream), "graph"); });
  cudaGraphExecDestroy(executable);
  cudaGraphDestroy(graph);
  return time / calls;
}

/// Fills memory with values between -1 and 1. Constant ones take less power to multiply, and so are multiplied faster.
void fill_randomly(__nv_bfloat16* values, std::size_t count, std::uint32_t seed, cudaStream_t stream);

/// Reads everything and writes next to nothing.
/// @param data  aligned to 16 bytes, as many as a multiple of 16
void read_all(const void* data, std::size_t bytes, unsigned blocks, unsigned* sink, cudaStream_t stream);

/// An array of random values.
[[nodiscard]] inline luq::cuda::device_array<__nv_bfloat16> random_values(std::size_t count, std::uint32_t seed,
                                                                          cudaStream_t stream) {
  luq::cuda::device_array<__nv_bfloat16> values(count, stream);
  fill_randomly(values.data(), count, seed, stream);
  return values;
}

struct bandwidths {
  double read;  ///< bytes a second of reading 2 GiB
  double copy;  ///< bytes a second, read and written, of copying 2 GiB
};

[[nodiscard]] inline bandwidths measure_bandwidths(const cudaDeviceProp& device, cudaStream_t stream) {
  const std::size_t bytes = std::size_t{2} << 30;
  const auto from = random_values(bytes / 2, 1, stream);
  luq::cuda::device_array<std::byte> to(bytes, stream);
  luq::cuda::device_array<unsigned> sink(1, stream);
  const double reading = microseconds(stream, 3, [&](int) {
    read_all(from.data(), bytes, static_cast<unsigned>(device.multiProcessorCount * 16), sink.data(), stream);
  });
  // Not in a graph: there a copy took half as long again.
  const double copying = microseconds_of_work(stream, [&] {
    luq::cuda::require_success(cudaMemcpyAsync(to.data(), from.data(), bytes, cudaMemcpyDeviceToDevice, stream),
                               "copy");
  });
  return {static_cast<double>(bytes) / (reading * 1e-6), 2 * static_cast<double>(bytes) / (copying * 1e-6)};
}

/// cuBLAS on one stream.
class blas {
 public:
  explicit blas(cudaStream_t stream) {
    luq::cuda::require_success(cublasCreate(&handle_), "handle");
    luq::cuda::require_success(cublasSetStream(handle_, stream), "stream");
  }
  ~blas() { cublasDestroy(handle_); }
  blas(const blas&) = delete;
  blas& operator=(const blas&) = delete;

  [[nodiscard]] cublasHandle_t handle() const { return handle_; }

  /// Y [tokens x out] = X [tokens x in] W^T, W [out x in], all by rows.
  void multiply(const __nv_bfloat16* W, const __nv_bfloat16* X, __nv_bfloat16* Y, int out, int in, int tokens) const {
    const float one = 1;
    const float zero = 0;
    luq::cuda::require_success(
        cublasGemmEx(handle_, CUBLAS_OP_T, CUBLAS_OP_N, out, tokens, in, &one, W, CUDA_R_16BF, in, X, CUDA_R_16BF, in,
                     &zero, Y, CUDA_R_16BF, out, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT),
        "product");
  }

 private:
  cublasHandle_t handle_ = nullptr;
};

/// Operations a second of a bf16 product of random matrices of 8192, a multiplication and an addition being two.
[[nodiscard]] inline double matrix_rate(const blas& products, cudaStream_t stream) {
  constexpr int side = 8192;
  const std::size_t size = static_cast<std::size_t>(side) * side;
  const auto A = random_values(size, 2, stream);
  const auto B = random_values(size, 3, stream);
  luq::cuda::device_array<__nv_bfloat16> C(size, stream);
  const double time =
      microseconds(stream, 5, [&](int) { products.multiply(A.data(), B.data(), C.data(), side, side, side); });
  return 2.0 * side * side * static_cast<double>(side) / (time * 1e-6);
}

}  // namespace luq_bench
