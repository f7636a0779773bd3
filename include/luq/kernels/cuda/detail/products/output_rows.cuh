// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Where a product writes its outputs, and the bias that it adds.
#pragma once

#include <cstdint>

#include "luq/kernels/cuda/detail/warp/numbers.cuh"

namespace luq::cuda::detail {

/// Outputs [tokens x rows] in device memory. Plain data, passed to kernels by value.
struct output_rows {
  void* first;
  const void* bias;     ///< [rows], or null
  std::int64_t stride;  ///< elements from token to token
  number_type type;
  number_type bias_type;

  [[nodiscard]] LUQ_DEVICE_CODE float bias_of(int row) const {
    return bias != nullptr ? read_number(bias, bias_type, row) : 0.0f;
  }
  LUQ_DEVICE_CODE void write(int token, int row, float y) const { write_number(y, first, type, token * stride + row); }
};

}  // namespace luq::cuda::detail
