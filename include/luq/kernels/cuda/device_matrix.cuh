// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Packed matrices in device memory.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <span>

#include "luq/core/cuda/device_memory.cuh"
#include "luq/kernels/cuda/detail/planes/padded_tiles.cuh"

namespace luq::cuda {

/// A packed matrix in device memory, made once from the stored bytes.
template <PlaneCodec Codec>
class device_matrix {
 public:
  /// Copies the bytes of W, which may be freed when this returns.
  /// @throws luq::error device_failure; unsupported for a matrix beyond 2^28 - 65 rows or columns
  device_matrix(const packed_matrix<Codec>& W, cudaStream_t stream)
      : planes_(detail::describe_planes(W)),
        tiles_(std::span<const std::byte>(detail::padded_tiles(W, planes_)), stream) {
    planes_.tiles = tiles_.data();
    const detail::stored_column_order order = detail::order_of_columns(W);
    stored_columns_ = {std::span<const std::int32_t>(order.columns), stream};
    class_borders_ = {std::span<const std::int32_t>(order.borders), stream};
    planes_.stored_columns = stored_columns_.data();
    planes_.class_borders = class_borders_.data();
  }

  [[nodiscard]] index rows() const { return planes_.rows; }
  [[nodiscard]] index cols() const { return planes_.cols; }
  [[nodiscard]] std::size_t bytes() const { return tiles_.size(); }
  [[nodiscard]] const detail::packed_planes<Codec>& planes() const { return planes_; }

 private:
  detail::packed_planes<Codec> planes_;
  device_array<std::byte> tiles_;
  device_array<std::int32_t> stored_columns_;
  device_array<std::int32_t> class_borders_;
};

}  // namespace luq::cuda
