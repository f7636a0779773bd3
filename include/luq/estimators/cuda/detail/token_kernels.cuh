// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Launches of kernels over tokens, for activations of float, half or bfloat16. luq::compiled_cuda has them compiled;
// their definitions are in templates/.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "luq/core/index.hpp"

namespace luq::cuda::detail {

/// scaled [tokens x in] = sqrt(lambda) X.
/// @throws luq::error device_failure
template <class Stored>
void launch_scaling(const Stored* X, std::int64_t stride, index tokens, index in, const float* lambda, float* scaled,
                    cudaStream_t stream);

/// centred [rows x width] = X - origin, and the squared norm of each row.
/// @throws luq::error device_failure
template <class Stored>
void launch_centring(const Stored* X, std::int64_t stride, index rows, index width, const float* origin, float* centred,
                     float* norms, cudaStream_t stream);

/// The nearest centroid of each token, from products [tokens x clusters] and squared norms of both.
/// @param distances  [tokens], squared, written; null if they are not wanted
/// @throws luq::error device_failure
template <class Label>
void launch_choice(const float* products, const float* token_norms, const float* centroid_norms, index tokens,
                   index clusters, Label* labels, float* distances, cudaStream_t stream);

}  // namespace luq::cuda::detail
