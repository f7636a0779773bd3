// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Y = X W^T on packed weights, for every codec, in one of three ways that differ in what happens to the activations:
//
//   float32   as they are: the product is that with the unpacked matrix, to float rounding
//   int8      rounded to 8 bits for each token and run of columns: as fast as weights can be read
//   lookup    for a single token and sign planes, sums of four rounded to 8 bits: faster still
#pragma once

#include "luq/codecs/packed_matrix.hpp"
#include "luq/core/executor.hpp"
#include "luq/kernels/matmul_options.hpp"
#include "luq/kernels/product_arch.hpp"

namespace luq {

/// Y = X W^T, or Y += X W^T, plus a bias if there is one. Where W has an input transform, W = Q T, it is applied to a
/// copy of the activations: X (Q T)^T = (X T^T) Q^T. In int8 mode it is the transformed activations that are rounded,
/// which a rotation makes easier: it spreads outliers.
/// @param W  packed [out x in]
/// @param X  [tokens x in] row-major, any stride and alignment, any number of tokens; read only; must not alias Y
/// @param Y  [tokens x out]
/// Relative error: float rounding in float32 mode, at most 1e-5 of ||Y|| in practice; in int8 mode that of rounding
/// activations (cpu/stages/activations.hpp) and, from tokens_of_levels tokens on, levels
/// (cpu/stages/integer_product.hpp), below 2e-2 of ||Y|| for dense activations. Not-a-number activations give
/// not-a-number results.
template <class Arch = product_arch, WeightCodec Codec>
void matmul(const packed_matrix<Codec>& W, const matrix_view& X, mutable_matrix_view Y,
            const matmul_options& options = {}, executor_ref executor = {});

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/kernels/templates/matmul.hpp"
#endif
