// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The nearest centroid of each token, for tokens and centroids in device memory. This is the step of k-means
// (luq/estimators/kmeans.hpp) that reads every token.
//
//   label_t = argmin_k ||x_t - c_k||^2 = argmin_k ||c_k||^2 - 2 x_t.c_k        the least k where there are several
//
// cuBLAS multiplies in float, many tokens at once. The form cancels for data far from the origin. Therefore `origin`,
// best the mean of the data, is first subtracted from tokens and centroids. Distances are off by about width 2^-24 of
// the squares that they are differences of. A label differs from the host's only if two distances differ by less than
// that.
#pragma once

#include <cuda_runtime.h>
#include <algorithm>
#include <cstdint>

#include "luq/core/assert.hpp"
#include "luq/core/cuda/device_memory.cuh"
#include "luq/estimators/cuda/detail/device_blas.cuh"
#include "luq/estimators/cuda/detail/token_kernels.cuh"

namespace luq::cuda {

/// The nearest centroid of each token.
/// @param blas       on `stream`
/// @param X          [tokens x width] of half, bfloat16 or float, `stride` elements from row to row
/// @param C          [clusters x width] centroids
/// @param origin     [width]
/// @param labels     [tokens], written
/// @param distances  [tokens], squared, written; null if they are not wanted
/// All in device memory. At most 8192 tokens are worked on at once, in 4 (width + clusters) bytes each.
/// @throws luq::error device_failure
template <class Stored>
void assign_to_centroids(cublasHandle_t blas, const Stored* X, index tokens, std::int64_t stride, index width,
                         const float* C, index clusters, const float* origin, std::int32_t* labels, float* distances,
                         cudaStream_t stream) {
  constexpr index tokens_at_once = 8192;
  LUQ_ASSERT(clusters > 0 && width > 0);
  const index most = (std::min)(tokens, tokens_at_once);
  if (most == 0) return;
  device_array<float> centroids(static_cast<std::size_t>(clusters * width), stream);
  device_array<float> centroid_norms(static_cast<std::size_t>(clusters), stream);
  device_array<float> centred(static_cast<std::size_t>(most * width), stream);
  device_array<float> norms(static_cast<std::size_t>(most), stream);
  device_array<float> products(static_cast<std::size_t>(most * clusters), stream);
  detail::launch_centring(C, width, clusters, width, origin, centroids.data(), centroid_norms.data(), stream);
  for (index first = 0; first < tokens; first += most) {
    const index count = (std::min)(most, tokens - first);
    detail::launch_centring(X + first * stride, stride, count, width, origin, centred.data(), norms.data(), stream);
    detail::multiply(blas, centred.data(), count, centroids.data(), clusters, width, products.data());
    detail::launch_choice(products.data(), norms.data(), centroid_norms.data(), count, clusters, labels + first,
                          distances == nullptr ? nullptr : distances + first, stream);
  }
}

}  // namespace luq::cuda

#ifndef LUQ_COMPILED_CUDA
#include "luq/estimators/cuda/templates/token_kernels.cuh"
#endif
