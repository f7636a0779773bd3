// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Options of products on a GPU.
#pragma once

#include <cstdint>

namespace luq::cuda {

/// Options of one product.
template <class Bias = float>
struct product_options {
  const Bias* bias = nullptr;  ///< [rows] in device memory, added to every token; null for none
  std::int64_t Y_stride = 0;   ///< elements from row to row of Y; 0 for rows without gaps
};

}  // namespace luq::cuda
