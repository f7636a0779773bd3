// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The Hessian of a linear's inputs (luq/estimators/hessian.hpp) from activations in device memory. Sums of lambda x x^T
// stay in device memory until host() copies them into an accumulator of the host, which can be merged with others.
//
//   luq::cuda::device_hessian H(in_features, stream);
//   H.add(blas, X, tokens, stride);                          // X [tokens x in] of half, bfloat16 or float
//   H.add(blas, X, tokens, stride, lambda);                  // a weight for each token
//   luq::hessian of_host = H.host();                         // waits for the stream
//
// Products of half and bfloat16 are exact. A call with n tokens adds n floats at once, so that an element is off by at
// most n 2^-24 of the sum of its terms' magnitudes. (The host adds at most 256 floats at once.) Tokens with weights are
// multiplied by sqrt(lambda) in float first, as on the host.
//
// An activation that is no finite number makes the sum non-finite. host() finds that; finding it earlier would wait for
// the device.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <span>
#include <utility>

#include "luq/core/assert.hpp"
#include "luq/core/cuda/device_memory.cuh"
#include "luq/estimators/cuda/detail/device_blas.cuh"
#include "luq/estimators/cuda/detail/token_kernels.cuh"
#include "luq/estimators/detail/token_weights.hpp"
#include "luq/estimators/hessian.hpp"

namespace luq::cuda {

/// Sum of weighted x x^T in device memory.
class device_hessian {
 public:
  /// @throws luq::error device_failure
  device_hessian(index in_features, cudaStream_t stream)
      : in_(in_features), stream_(stream), sum_(static_cast<std::size_t>(in_features * in_features), stream) {
    require_success(cudaMemsetAsync(sum_.data(), 0, sum_.size() * sizeof(float), stream), "zeros");
  }

  [[nodiscard]] index in_features() const { return in_; }

  /// Adds tokens of weight 1.
  /// @param blas    on the stream of this accumulator
  /// @param X       [tokens x in] in device memory, `stride` elements from row to row
  /// @throws luq::error device_failure
  template <class Stored>
  void add(cublasHandle_t blas, const Stored* X, index tokens, std::int64_t stride) {
    if (tokens == 0) return;
    detail::add_gram(blas, X, tokens, stride, sum_.data(), in_);
    tokens_ += tokens;
    weight_ += static_cast<double>(tokens);
  }

  /// Adds tokens with weights. A token of weight 0, as padding has, does not count.
  /// @param lambda  [tokens] in host memory, finite and >= 0
  /// @throws luq::error device_failure; invalid_argument for another weight
  template <class Stored>
  void add(cublasHandle_t blas, const Stored* X, index tokens, std::int64_t stride, std::span<const float> lambda) {
    LUQ_ASSERT(static_cast<index>(lambda.size()) == tokens);
    if (tokens == 0) return;
    const luq::detail::token_weights weights = luq::detail::checked_weights("Hessian", tokens, lambda);
    const device_array<float> device_lambda(std::span<const float>(weights), stream_);
    device_array<float> scaled(static_cast<std::size_t>(tokens * in_), stream_);
    detail::launch_scaling(X, stride, tokens, in_, device_lambda.data(), scaled.data(), stream_);
    detail::add_gram(blas, scaled.data(), tokens, in_, sum_.data(), in_);
    for (const float weight : weights) {
      if (weight > 0) ++tokens_;
      weight_ += static_cast<double>(weight);
    }
  }

  /// Copies the sum to host memory. Waits for the stream.
  /// @throws luq::error device_failure; non_finite if an activation was no finite number
  [[nodiscard]] hessian host() const {
    matrix sum(in_, in_);
    require_success(
        cudaMemcpyAsync(sum.data(), sum_.data(), sum_.size() * sizeof(float), cudaMemcpyDeviceToHost, stream_),
        "copy to the host");
    require_success(cudaStreamSynchronize(stream_), "sum of products");
    return hessian::from_sum(std::move(sum), tokens_, weight_);
  }

 private:
  index in_;
  cudaStream_t stream_;
  device_array<float> sum_;  // [in x in], symmetric
  index tokens_ = 0;
  double weight_ = 0;
};

}  // namespace luq::cuda

#ifndef LUQ_COMPILED_CUDA
#include "luq/estimators/cuda/templates/token_kernels.cuh"
#endif
