// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Y = X W^T + b with W dense, packed, or packed on a GPU. The weights are shared and immutable, so that copies of a
// linear, and models that differ in a few layers only, hold the rest once.
#pragma once

#include <cstddef>
#include <luq/codecs/any_packed_matrix.hpp>
#include <luq/core/matrix_view.hpp>
#include <luq/kernels/cuda/any_device_matrix.hpp>
#include <memory>
#include <span>
#include <variant>

#include "compute_options.hpp"

namespace vlm {

class linear {
 public:
  /// Weights [out x in]; the pointer is never null.
  using weights_pointer =
      std::variant<std::shared_ptr<const luq::matrix>, std::shared_ptr<const luq::any_packed_matrix>,
                   std::shared_ptr<const luq::cuda::any_device_matrix>>;
  using bias_pointer = std::shared_ptr<const Eigen::RowVectorXf>;

  /// @param bias  [out], or null for none
  explicit linear(weights_pointer weights, bias_pointer bias = nullptr);

  [[nodiscard]] const weights_pointer& weights() const noexcept { return weights_; }
  [[nodiscard]] luq::index out_features() const;
  [[nodiscard]] luq::index in_features() const;

  /// The weights as they lie in memory; none of them if they are on a GPU.
  [[nodiscard]] std::span<const std::byte> bytes() const;

  /// Other weights with the same bias.
  /// @throws luq::error shape_mismatch for another shape
  void set_weights(weights_pointer weights);

  /// @param X  [tokens x in]
  /// @return [tokens x out]
  /// @throws luq::error device_failure for weights on a GPU
  [[nodiscard]] luq::matrix operator()(const luq::matrix_view& X, const compute_options& compute = {}) const;

 private:
  weights_pointer weights_;
  bias_pointer bias_;
};

}  // namespace vlm
