// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Launches of the kernels of one codec. Types of activations, biases and outputs are no template parameters, so that
// each kernel is compiled once. luq::compiled_cuda has these functions for the codecs of any_codec.hpp; their
// definitions are in templates/.
#pragma once

#include <cuda_runtime.h>

#include "luq/kernels/cuda/detail/activations/token_arrangement.cuh"
#include "luq/kernels/cuda/detail/chunks/dequantized_chunk.cuh"
#include "luq/kernels/cuda/detail/products/product_batch.cuh"

namespace luq::cuda::detail {

/// Arranges activations for a matrix.
/// @throws luq::error device_failure
template <PlaneCodec Codec, activation_bits Bits>
void launch_arrangement(const packed_planes<Codec>& W, const activation_rows& X, const arranged_activations& into,
                        cudaStream_t stream);

/// Computes products of at least one token and row.
/// @param X  arranged for their matrices
/// @throws luq::error device_failure
template <PlaneCodec Codec, activation_bits Bits>
void launch_products(product_batch<Codec> batch, const arranged_activations& X, cudaStream_t stream);

/// Writes every weight.
/// @throws luq::error device_failure; unsupported for more than 2^43 weights
template <PlaneCodec Codec, class Stored>
void launch_dequantization(const packed_planes<Codec>& W, const weight_matrix<Stored>& out, cudaStream_t stream);

}  // namespace luq::cuda::detail
