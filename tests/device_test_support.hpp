// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What tests on a GPU share. Where there is none, they say so and pass.
#pragma once

#include <doctest/doctest.h>

#include <luq/core/cuda/device_memory.cuh>
#include <luq/core/half.hpp>
#include <luq/core/matrix_view.hpp>
#include <vector>

namespace luq_test {

[[nodiscard]] inline bool has_device() {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) == cudaSuccess && devices > 0) return true;
  MESSAGE("skipped: no CUDA device");
  return false;
}

/// A stream that is destroyed with its owner.
class device_stream {
 public:
  device_stream() { luq::cuda::require_success(cudaStreamCreate(&handle_), "stream"); }
  ~device_stream() { cudaStreamDestroy(handle_); }
  device_stream(const device_stream&) = delete;
  device_stream& operator=(const device_stream&) = delete;
  operator cudaStream_t() const { return handle_; }

 private:
  cudaStream_t handle_ = nullptr;
};

template <class Stored>
[[nodiscard]] std::vector<Stored> stored(const luq::matrix& values) {
  std::vector<Stored> result;
  for (luq::index i = 0; i < values.size(); ++i) result.push_back(Stored(values.data()[i]));
  return result;
}

template <class Stored>
[[nodiscard]] luq::matrix as_floats(const std::vector<Stored>& values, luq::index rows, luq::index cols) {
  luq::matrix result(rows, cols);
  for (luq::index i = 0; i < result.size(); ++i) {
    result.data()[i] = static_cast<float>(values[static_cast<std::size_t>(i)]);
  }
  return result;
}

/// Elements of device memory. Waits for the stream.
template <class Stored>
[[nodiscard]] std::vector<Stored> fetch(const luq::cuda::device_array<Stored>& elements, cudaStream_t stream) {
  std::vector<Stored> result(elements.size());
  luq::cuda::require_success(
      cudaMemcpyAsync(result.data(), elements.data(), result.size() * sizeof(Stored), cudaMemcpyDeviceToHost, stream),
      "copy to the host");
  luq::cuda::require_success(cudaStreamSynchronize(stream), "what was to be copied");
  return result;
}

/// Elements of device memory that are no numbers, to see that every one is written.
template <class Stored>
[[nodiscard]] luq::cuda::device_array<Stored> poisoned(luq::index elements, cudaStream_t stream) {
  luq::cuda::device_array<Stored> result(static_cast<std::size_t>(elements), stream);
  luq::cuda::require_success(cudaMemsetAsync(result.data(), 0xff, result.size() * sizeof(Stored), stream), "poison");
  return result;
}

template <class Stored>
[[nodiscard]] luq::cuda::device_array<Stored> on_device(const std::vector<Stored>& elements, cudaStream_t stream) {
  return {std::span<const Stored>(elements), stream};
}

}  // namespace luq_test
