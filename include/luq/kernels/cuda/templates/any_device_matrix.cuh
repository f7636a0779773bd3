// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of any_device_matrix.hpp. They have no kernel of their own.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <variant>

#include "luq/core/cuda/compiled.cuh"
#include "luq/kernels/cuda/any_device_matrix.hpp"
#include "luq/kernels/cuda/matmul.cuh"

namespace luq::cuda {

namespace detail {

inline cudaStream_t stream_of_thread() {
  return cudaStreamPerThread;
}

inline void wait_for_stream(const char* what) {
  require_success(cudaStreamSynchronize(stream_of_thread()), what);
}

/// Every thread works in the order of its own stream, the one that the runtime has for it, and waits for it before it
/// returns. Threads do not wait for each other; all may read what one has uploaded, and any may free it.
template <PlaneCodec Codec>
class uploaded_matrix final : public any_device_matrix {
 public:
  explicit uploaded_matrix(const packed_matrix<Codec>& W) : W_(W, stream_of_thread()) {
    wait_for_stream("upload of weights");
  }

  [[nodiscard]] index rows() const override { return W_.rows(); }
  [[nodiscard]] index cols() const override { return W_.cols(); }

  void multiply(const float* X, index stride, index tokens, activation_bits bits, float* Y) const override {
    if (tokens == 0 || rows() == 0) return;
    const cudaStream_t stream = stream_of_thread();
    const auto row_bytes = static_cast<std::size_t>(cols()) * sizeof(float);
    const auto pitch = static_cast<std::size_t>(std::max(stride, cols())) * sizeof(float);  // one row may have none
    device_array<float> device_X(static_cast<std::size_t>(tokens * cols()), stream);
    device_array<float> device_Y(static_cast<std::size_t>(tokens * rows()), stream);
    require_success(cudaMemcpy2DAsync(device_X.data(), row_bytes, X, pitch, row_bytes, static_cast<std::size_t>(tokens),
                                      cudaMemcpyHostToDevice, stream),
                    "copy of activations to the device");
    matmul(W_, device_X.data(), static_cast<int>(tokens), device_Y.data(), product_options<float>{}, stream, bits);
    require_success(
        cudaMemcpyAsync(Y, device_Y.data(), device_Y.size() * sizeof(float), cudaMemcpyDeviceToHost, stream),
        "copy of a product to the host");
    wait_for_stream("product with packed weights");
  }

 private:
  device_matrix<Codec> W_;
};

/// Null for matrices without products on a GPU: codecs that are no PlaneCodec, and transformed inputs.
template <class Codec>
std::shared_ptr<const any_device_matrix> upload_packed(const packed_matrix<Codec>& W) {
  if (W.transform()) return nullptr;
  if constexpr (PlaneCodec<Codec>) {
    return std::make_shared<const uploaded_matrix<Codec>>(W);
  } else {
    return nullptr;
  }
}

}  // namespace detail

LUQ_CUDA_INLINE void open_device() {
  constexpr int device = 0;
  int devices = 0;
  const cudaError_t status = cudaGetDeviceCount(&devices);
  if (status == cudaErrorNoDevice || (status == cudaSuccess && devices == 0)) {
    fail(errc::device_failure, "CUDA: there is no device");
  }
  require_success(status, "there is no device");
  require_success(cudaSetDevice(device), "choice of the device");
  // Without this the pool returns memory to the system whenever a thread waits, and products ask for it again.
  cudaMemPool_t pool = nullptr;
  std::uint64_t kept = (std::numeric_limits<std::uint64_t>::max)();
  require_success(cudaDeviceGetDefaultMemPool(&pool, device), "memory pool");
  require_success(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &kept), "memory pool");
}

LUQ_CUDA_INLINE std::shared_ptr<const any_device_matrix> upload(const any_packed_matrix& W) {
  return std::visit([](const auto& packed) { return detail::upload_packed(packed); }, W);
}

}  // namespace luq::cuda
