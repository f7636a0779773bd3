// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Packed weights that lie in the memory of an NVIDIA GPU and are multiplied there. A program that was built without
// CUDA has the same functions, which say so.
//
// Activations and results are pointers to floats and no matrices: what is behind this header is compiled without the
// processor's flags, which decide how Eigen aligns memory, and so must neither make nor free matrices of Eigen.
#pragma once

#include <luq/codecs/any_packed_matrix.hpp>
#include <memory>

namespace vlm {

/// What products on a device round activations to.
enum class activation_rounding {
  sixteen_bits,  ///< with an error below 2^-14 of the greatest activation of a token and a chunk of columns
  eight_bits,    ///< as luq::activation_mode::int8
};

/// A packed matrix [out x in] in device memory. Immutable: any number of threads may multiply by it at once.
class device_weights {
 public:
  device_weights() = default;
  device_weights(const device_weights&) = delete;
  device_weights& operator=(const device_weights&) = delete;
  virtual ~device_weights() = default;

  [[nodiscard]] virtual luq::index rows() const = 0;
  [[nodiscard]] virtual luq::index cols() const = 0;

  /// Y = X W^T, complete when this returns.
  /// @param X       [tokens x in], tokens `stride` floats apart, in memory of the host
  /// @param Y       [tokens x out], rows without gaps, in memory of the host
  /// @throws luq::error device_failure
  virtual void multiply(const float* X, luq::index stride, luq::index tokens, activation_rounding rounding,
                        float* Y) const = 0;
};

/// Makes the first GPU ready; to be called before anything is uploaded.
/// @throws luq::error unsupported in a program that was built without CUDA, device_failure if there is no GPU
void open_device();

/// A copy of W on the GPU; null if its codec is one of tables (Lloyd, trellis), which have products on the CPU only.
/// @throws luq::error device_failure, unsupported for a matrix beyond the sizes that kernels count
[[nodiscard]] std::shared_ptr<const device_weights> upload(const luq::any_packed_matrix& W);

}  // namespace vlm
