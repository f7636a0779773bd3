// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Which centroid is nearest to each token, for tokens and centroids in device memory: the step of k-means
// (luq/estimators/kmeans.hpp) that meets every token.
//
//   label_t = argmin_k ||x_t - c_k||^2 = argmin_k ||c_k||^2 - 2 x_t.c_k        the least k where there are several
//
// Products are cuBLAS's in float, many tokens at once. The form cancels for data far from the origin, so `origin`,
// best the mean of the data, is subtracted from both first. Distances are off by about width 2^-24 of the squares that
// they are differences of; a label is the host's unless two centroids are nearer to equidistant than that.
#pragma once

#include <algorithm>
#include <cfloat>
#include <cstdint>

#include "luq/core/cuda/device_memory.cuh"
#include "luq/estimators/cuda/device_blas.cuh"

namespace luq::cuda {

namespace detail {

inline constexpr int threads_of_row = 128;  ///< of a block, which has a row
inline constexpr index tokens_at_once = 8192;

/// The sum over the threads of a block.
__device__ __forceinline__ float sum_of_block(float value) {
  __shared__ float sums[threads_of_row];
  sums[threadIdx.x] = value;
  for (unsigned half_of = threads_of_row / 2; half_of > 0; half_of /= 2) {
    __syncthreads();
    if (threadIdx.x < half_of) sums[threadIdx.x] += sums[threadIdx.x + half_of];
  }
  __syncthreads();
  return sums[0];
}

/// centred [rows x width] = X - origin, and the squared norm of each row.
template <class Stored>
__global__ void centre_rows(const Stored* X, std::int64_t stride, int width, const float* origin, float* centred,
                            float* norms) {
  const std::int64_t row = blockIdx.x;
  float norm = 0;
  for (int c = static_cast<int>(threadIdx.x); c < width; c += threads_of_row) {
    const float value = static_cast<float>(X[row * stride + c]) - origin[c];
    centred[row * width + c] = value;
    norm += value * value;
  }
  norm = sum_of_block(norm);
  if (threadIdx.x == 0) norms[row] = norm;
}

/// The nearest centroid of one token for each thread.
template <class Label>
__global__ void choose_nearest(const float* products, const float* token_norms, const float* centroid_norms, int tokens,
                               int clusters, Label* labels, float* distances) {
  const int token = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (token >= tokens) return;
  float least = FLT_MAX;
  Label label = 0;
  for (int k = 0; k < clusters; ++k) {
    const float distance = centroid_norms[k] - 2.0f * products[static_cast<std::int64_t>(token) * clusters + k];
    if (distance < least) {
      least = distance;
      label = k;
    }
  }
  labels[token] = label;
  if (distances != nullptr) distances[token] = fmaxf(0.0f, token_norms[token] + least);
}

}  // namespace detail

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
  LUQ_ASSERT(clusters > 0 && width > 0);
  const index most = (std::min)(tokens, detail::tokens_at_once);
  if (most == 0) return;
  device_array<float> centroids(static_cast<std::size_t>(clusters * width), stream);
  device_array<float> centroid_norms(static_cast<std::size_t>(clusters), stream);
  device_array<float> centred(static_cast<std::size_t>(most * width), stream);
  device_array<float> norms(static_cast<std::size_t>(most), stream);
  device_array<float> products(static_cast<std::size_t>(most * clusters), stream);
  detail::centre_rows<<<static_cast<unsigned>(clusters), detail::threads_of_row, 0, stream>>>(
      C, width, static_cast<int>(width), origin, centroids.data(), centroid_norms.data());
  require_success(cudaGetLastError(), "launch of the centring of centroids");
  for (index first = 0; first < tokens; first += most) {
    const index count = (std::min)(most, tokens - first);
    detail::centre_rows<<<static_cast<unsigned>(count), detail::threads_of_row, 0, stream>>>(
        X + first * stride, stride, static_cast<int>(width), origin, centred.data(), norms.data());
    require_success(cudaGetLastError(), "launch of the centring of tokens");
    detail::multiply(blas, centred.data(), count, centroids.data(), clusters, width, products.data());
    constexpr unsigned threads = 128;
    detail::choose_nearest<<<(static_cast<unsigned>(count) + threads - 1) / threads, threads, 0, stream>>>(
        products.data(), norms.data(), centroid_norms.data(), static_cast<int>(count), static_cast<int>(clusters),
        labels + first, distances == nullptr ? nullptr : distances + first);
    require_success(cudaGetLastError(), "launch of the choice of centroids");
  }
}

}  // namespace luq::cuda
