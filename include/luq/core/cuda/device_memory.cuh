// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Memory of the current device, and errors of the CUDA runtime as luq::error. Memory is allocated and freed in the
// order of a stream. Nothing here waits for the device; a copy from pageable host memory waits until that memory was
// read.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <span>
#include <utility>

#include "luq/core/error.hpp"

namespace luq::cuda {

/// @param what  what was tried, for the message
/// @throws luq::error device_failure unless `status` is success
inline void require_success(cudaError_t status, const char* what) {
  if (status != cudaSuccess) {
    fail(errc::device_failure, "CUDA: ", what, ": ", cudaGetErrorName(status), ": ", cudaGetErrorString(status));
  }
}

/// Elements in device memory. Move-only. The stream must outlive them: they are freed in its order.
template <class T>
class device_array {
 public:
  device_array() = default;

  /// Uninitialized elements.
  /// @throws luq::error device_failure
  device_array(std::size_t size, cudaStream_t stream) : size_(size), stream_(stream) {
    if (size > 0) {
      require_success(cudaMallocAsync(reinterpret_cast<void**>(&data_), size * sizeof(T), stream), "allocation");
    }
  }

  /// A copy of elements of the host, which may be freed when this returns.
  /// @throws luq::error device_failure
  device_array(std::span<const T> elements, cudaStream_t stream) : device_array(elements.size(), stream) {
    if (size_ > 0) {
      require_success(cudaMemcpyAsync(data_, elements.data(), elements.size_bytes(), cudaMemcpyHostToDevice, stream),
                      "copy to the device");
    }
  }

  device_array(device_array&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)), stream_(other.stream_) {}
  device_array& operator=(device_array&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(stream_, other.stream_);
    return *this;
  }
  ~device_array() {
    if (data_ != nullptr) cudaFreeAsync(data_, stream_);  // an error here has nobody to tell
  }

  [[nodiscard]] T* data() { return data_; }
  [[nodiscard]] const T* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
  cudaStream_t stream_ = nullptr;
};

}  // namespace luq::cuda
