// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// device_weights.hpp by luq's CUDA kernels. Every thread works in the order of its own stream, the one that the runtime
// has for it, and waits for it before it returns: threads do not wait for each other, and what one has uploaded all may
// read and any may free.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <luq/kernels/cuda/matmul.cuh>

#include "../device_weights.hpp"

namespace vlm {

namespace {

using luq::cuda::activation_bits;
using luq::cuda::require_success;

cudaStream_t stream_of_thread() {
  return cudaStreamPerThread;
}

void wait_for_stream(const char* what) {
  require_success(cudaStreamSynchronize(stream_of_thread()), what);
}

template <luq::cuda::PlaneCodec Codec>
class uploaded_matrix final : public device_weights {
 public:
  explicit uploaded_matrix(const luq::packed_matrix<Codec>& W) : W_(W, stream_of_thread()) {
    wait_for_stream("upload of weights");
  }

  [[nodiscard]] luq::index rows() const override { return W_.rows(); }
  [[nodiscard]] luq::index cols() const override { return W_.cols(); }

  void multiply(const float* X, luq::index stride, luq::index tokens, activation_rounding rounding,
                float* Y) const override {
    if (tokens == 0 || rows() == 0) return;
    const cudaStream_t stream = stream_of_thread();
    const auto row_bytes = static_cast<std::size_t>(cols()) * sizeof(float);
    const auto pitch = static_cast<std::size_t>(std::max(stride, cols())) * sizeof(float);  // one row may have none
    luq::cuda::device_array<float> device_X(static_cast<std::size_t>(tokens * cols()), stream);
    luq::cuda::device_array<float> device_Y(static_cast<std::size_t>(tokens * rows()), stream);
    require_success(cudaMemcpy2DAsync(device_X.data(), row_bytes, X, pitch, row_bytes, static_cast<std::size_t>(tokens),
                                      cudaMemcpyHostToDevice, stream),
                    "copy of activations to the device");
    luq::cuda::matmul(
        W_, device_X.data(), static_cast<int>(tokens), device_Y.data(), luq::cuda::product_options<float>{}, stream,
        rounding == activation_rounding::sixteen_bits ? activation_bits::sixteen : activation_bits::eight);
    require_success(
        cudaMemcpyAsync(Y, device_Y.data(), device_Y.size() * sizeof(float), cudaMemcpyDeviceToHost, stream),
        "copy of a product to the host");
    wait_for_stream("product with packed weights");
  }

 private:
  luq::cuda::device_matrix<Codec> W_;
};

template <class Codec>
std::shared_ptr<const device_weights> upload_packed(const luq::packed_matrix<Codec>& W) {
  if constexpr (luq::cuda::PlaneCodec<Codec>) {
    return std::make_shared<const uploaded_matrix<Codec>>(W);
  } else {
    return nullptr;
  }
}

}  // namespace

void open_device() {
  constexpr int device = 0;
  int devices = 0;
  const cudaError_t status = cudaGetDeviceCount(&devices);
  if (status == cudaErrorNoDevice || (status == cudaSuccess && devices == 0)) {
    luq::fail(luq::errc::device_failure, "CUDA: there is no device");
  }
  require_success(status, "there is no device");
  require_success(cudaSetDevice(device), "choice of the device");
  // Else what products free would be given back to the system whenever a thread waits, and asked for again.
  cudaMemPool_t pool = nullptr;
  std::uint64_t kept = std::numeric_limits<std::uint64_t>::max();
  require_success(cudaDeviceGetDefaultMemPool(&pool, device), "memory pool");
  require_success(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &kept), "memory pool");
}

std::shared_ptr<const device_weights> upload(const luq::any_packed_matrix& W) {
  return std::visit([](const auto& packed) { return upload_packed(packed); }, W);
}

}  // namespace vlm
