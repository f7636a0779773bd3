// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Several products with the same activations, which one launch computes.
#pragma once

#include "luq/kernels/cuda/detail/planes/packed_planes.cuh"
#include "luq/kernels/cuda/detail/products/output_rows.cuh"

namespace luq::cuda::detail {

/// Products that one launch computes at most.
inline constexpr int most_products = 4;

/// Plain data, passed to kernels by value.
template <PlaneCodec Codec>
struct product_batch {
  int count;
  int first_block[most_products + 1];  ///< of each product; set when the kernel is chosen
  packed_planes<Codec> W[most_products];
  output_rows out[most_products];

  /// The product that a block is part of.
  [[nodiscard]] LUQ_DEVICE_CODE int of_block(int block) const {
    int p = 0;
    while (p + 1 < count && block >= first_block[p + 1]) ++p;
    return p;
  }
};

}  // namespace luq::cuda::detail
