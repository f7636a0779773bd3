// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Activations in device memory, rounded and arranged for products with packed matrices.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "luq/core/cuda/device_memory.cuh"
#include "luq/kernels/cuda/activation_bits.hpp"
#include "luq/kernels/cuda/detail/activations/activation_layout.cuh"
#include "luq/kernels/cuda/detail/planes/packed_planes.cuh"

namespace luq::cuda {

/// Activations arranged for a matrix. If its codec has one class of columns, they fit every matrix of the same codec,
/// group and number of columns.
template <PlaneCodec Codec, activation_bits Bits>
class device_activations {
 public:
  /// Memory for so many tokens, which arrange() of matmul.cuh fills.
  /// @throws luq::error unsupported for more tokens or columns than kernels can count; device_failure
  device_activations(int tokens, const detail::packed_planes<Codec>& W, cudaStream_t stream) {
    detail::with_arithmetic<Codec>(tokens, [&](auto kind) {
      const detail::arranged_size size = detail::size_of_arranged<Codec, Bits, kind>(W.chunks(), tokens);
      view_.tokens = tokens;
      view_.tiles = size.tiles;
      words_ = {size.words, stream};
      factors_ = {size.factors, stream};
    });
    view_.words = words_.data();
    view_.factors = factors_.data();
    group_ = W.group;
    cols_ = W.cols;
  }

  [[nodiscard]] const detail::arranged_activations& view() const { return view_; }

  /// Whether they can be multiplied with such a matrix.
  [[nodiscard]] bool fit(const detail::packed_planes<Codec>& W) const { return group_ == W.group && cols_ == W.cols; }

 private:
  detail::arranged_activations view_{};
  device_array<std::uint32_t> words_;
  device_array<float> factors_;
  int group_ = 0;
  int cols_ = 0;
};

}  // namespace luq::cuda
