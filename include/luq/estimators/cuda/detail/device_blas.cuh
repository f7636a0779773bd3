// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The two products that estimators need of cuBLAS, for matrices by rows in device memory. Both add in float, and float
// factors are not rounded to TF32 unless the caller's handle says that they may.
#pragma once

#include <cstdint>

#include "luq/core/cuda/blas.cuh"
#include "luq/core/index.hpp"

namespace luq::cuda::detail {

/// C [in x in] += X^T X, X [tokens x in].
template <class Stored>
void add_gram(cublasHandle_t blas, const Stored* X, index tokens, std::int64_t stride, float* C, index in) {
  const float one = 1;
  // To cuBLAS, which counts by columns, X is [in x tokens].
  require_success(
      cublasGemmEx(blas, CUBLAS_OP_N, CUBLAS_OP_T, static_cast<int>(in), static_cast<int>(in), static_cast<int>(tokens),
                   &one, X, data_type<Stored>, static_cast<int>(stride), X, data_type<Stored>, static_cast<int>(stride),
                   &one, C, CUDA_R_32F, static_cast<int>(in), CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT),
      "sum of products");
}

/// D [tokens x rows] = X C^T, X [tokens x width], C [rows x width], without gaps between rows.
inline void multiply(cublasHandle_t blas, const float* X, index tokens, const float* C, index rows, index width,
                     float* D) {
  const float one = 1;
  const float zero = 0;
  require_success(cublasSgemm(blas, CUBLAS_OP_T, CUBLAS_OP_N, static_cast<int>(rows), static_cast<int>(tokens),
                              static_cast<int>(width), &one, C, static_cast<int>(width), X, static_cast<int>(width),
                              &zero, D, static_cast<int>(rows)),
                  "product");
}

}  // namespace luq::cuda::detail
