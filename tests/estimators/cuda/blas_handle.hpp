// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <luq/core/cuda/blas.cuh>

namespace luq_test {

/// cuBLAS on one stream.
class blas_handle {
 public:
  explicit blas_handle(cudaStream_t stream) {
    luq::cuda::require_success(cublasCreate(&handle_), "handle");
    luq::cuda::require_success(cublasSetStream(handle_, stream), "stream");
  }
  ~blas_handle() { cublasDestroy(handle_); }
  blas_handle(const blas_handle&) = delete;
  blas_handle& operator=(const blas_handle&) = delete;
  operator cublasHandle_t() const { return handle_; }

 private:
  cublasHandle_t handle_ = nullptr;
};

}  // namespace luq_test
