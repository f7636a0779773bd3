// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Kernels over tokens: weighting for Hessians, centring and the choice of centroids for k-means.
#pragma once

#ifndef __CUDACC__
#error "luq's CUDA kernels: compile with nvcc, or link luq::compiled_cuda, which has them compiled"
#endif

#include <cfloat>
#include <cstdint>

#include "luq/core/cuda/device_memory.cuh"
#include "luq/core/half.hpp"
#include "luq/estimators/cuda/detail/token_kernels.cuh"

namespace luq::cuda::detail {

/// A block scales a token.
template <class Stored>
__global__ void scale_tokens(const Stored* X, std::int64_t stride, int in, const float* lambda, float* scaled) {
  const std::int64_t token = blockIdx.x;
  const float factor = sqrtf(lambda[token]);
  for (int c = static_cast<int>(threadIdx.x); c < in; c += static_cast<int>(blockDim.x)) {
    // The activations of a token of weight 0 are not used, because they may be no numbers.
    scaled[token * in + c] = factor > 0 ? factor * static_cast<float>(X[token * stride + c]) : 0.0f;
  }
}

template <class Stored>
void launch_scaling(const Stored* X, std::int64_t stride, index tokens, index in, const float* lambda, float* scaled,
                    cudaStream_t stream) {
  scale_tokens<<<static_cast<unsigned>(tokens), 256, 0, stream>>>(X, stride, static_cast<int>(in), lambda, scaled);
  require_success(cudaGetLastError(), "launch of the weighting of tokens");
}

inline constexpr int threads_of_row = 128;  ///< of a block, which has a row

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

/// A block centres a row.
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

/// A thread finds the nearest centroid of a token.
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

template <class Stored>
void launch_centring(const Stored* X, std::int64_t stride, index rows, index width, const float* origin, float* centred,
                     float* norms, cudaStream_t stream) {
  centre_rows<<<static_cast<unsigned>(rows), threads_of_row, 0, stream>>>(X, stride, static_cast<int>(width), origin,
                                                                          centred, norms);
  require_success(cudaGetLastError(), "launch of the centring of rows");
}

template <class Label>
void launch_choice(const float* products, const float* token_norms, const float* centroid_norms, index tokens,
                   index clusters, Label* labels, float* distances, cudaStream_t stream) {
  constexpr unsigned threads = 128;
  choose_nearest<<<(static_cast<unsigned>(tokens) + threads - 1) / threads, threads, 0, stream>>>(
      products, token_norms, centroid_norms, static_cast<int>(tokens), static_cast<int>(clusters), labels, distances);
  require_success(cudaGetLastError(), "launch of the choice of centroids");
}

}  // namespace luq::cuda::detail
