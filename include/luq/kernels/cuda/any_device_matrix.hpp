// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A packed matrix in the memory of an NVIDIA GPU whose codec is known at run time, for engines that keep activations in
// host memory. luq::compiled_cuda has the definitions; where it was built without CUDA they throw an error that says
// so.
//
//   luq::cuda::open_device();
//   const auto W = luq::cuda::upload(packed);                                 // null for codecs of tables
//   W->multiply(X, stride, tokens, luq::cuda::activation_bits::sixteen, Y);
#pragma once

#include <memory>

#include "luq/codecs/any_packed_matrix.hpp"
#include "luq/core/index.hpp"
#include "luq/kernels/cuda/activation_bits.hpp"

namespace luq::cuda {

/// A packed matrix [out x in] in device memory. Immutable: any number of threads may multiply by it at once.
class any_device_matrix {
 public:
  any_device_matrix() = default;
  any_device_matrix(const any_device_matrix&) = delete;
  any_device_matrix& operator=(const any_device_matrix&) = delete;
  virtual ~any_device_matrix() = default;

  [[nodiscard]] virtual index rows() const = 0;
  [[nodiscard]] virtual index cols() const = 0;

  /// Y = X W^T, complete when this returns.
  /// @param X       [tokens x in], tokens `stride` floats apart, in host memory
  /// @param Y       [tokens x out], rows without gaps, in host memory
  /// @throws luq::error device_failure
  virtual void multiply(const float* X, index stride, index tokens, activation_bits bits, float* Y) const = 0;
};

/// Makes the first GPU ready; to be called before anything is uploaded.
/// @throws luq::error unsupported in a program that was built without CUDA, device_failure if there is no GPU
void open_device();

/// A copy of W in device memory; null if its codec is one of tables (Lloyd, trellis), which have no products on a GPU.
/// @throws luq::error device_failure, unsupported for a matrix beyond the sizes that kernels count
[[nodiscard]] std::shared_ptr<const any_device_matrix> upload(const any_packed_matrix& W);

}  // namespace luq::cuda
