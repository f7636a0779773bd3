// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Errors of cuBLAS as luq::error, and names of types in cuBLAS.
#pragma once

#include <cublas_v2.h>

#include <type_traits>

#include "luq/core/error.hpp"
#include "luq/core/half.hpp"

namespace luq::cuda {

/// @param what  what was tried, for the message
/// @throws luq::error device_failure unless `status` is success
inline void require_success(cublasStatus_t status, const char* what) {
  if (status != CUBLAS_STATUS_SUCCESS) {
    fail(errc::device_failure, "cuBLAS: ", what, ": ", cublasGetStatusString(status));
  }
}

/// The name of float, half or bfloat16 in cuBLAS.
template <class Stored>
inline constexpr cudaDataType_t data_type = std::is_same_v<Stored, half>       ? CUDA_R_16F
                                            : std::is_same_v<Stored, bfloat16> ? CUDA_R_16BF
                                                                               : CUDA_R_32F;

}  // namespace luq::cuda
