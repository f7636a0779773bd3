// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The stages of a product: all of its work that depends on the instruction set. Memory, threads and the cut of the work
// into parts are the caller's (matmul.hpp). Each stage does a stretch of its work, so that it is entered a few times
// for a product and may be reached through a pointer (dispatch.hpp).
#pragma once

#include "luq/kernels/cpu/stages/activations.hpp"
#include "luq/kernels/cpu/stages/float_product.hpp"
#include "luq/kernels/cpu/stages/integer_product.hpp"

namespace luq::detail {

/// Quantizes the blocks first ... end-1 of X.
/// @param X  the first of all tokens; tokens are `stride` floats apart
template <class Arch>
void quantize_blocks(const float* X, index stride, index first, index end, const activation_view& result) {
  for (index block = first; block < end; ++block) quantize_block<Arch>(X, stride, block, result);
}

/// The row tiles first ... end-1 of a product with quantized activations.
/// @param scratch  integer_scratch_bytes() bytes, aligned to a cache line, of this call alone
template <class Arch, WeightCodec Codec>
void multiply_integer_tiles(const packed_view<Codec>& W, const activation_view& X, const product_output& Y,
                            std::byte* scratch, index first, index end) {
  integer_product<Arch, Codec> product(W, X, scratch);
  for (index row_tile = first; row_tile < end; ++row_tile) product.multiply(row_tile, Y);
}

/// The row tiles first ... end-1 of a product with activations in float.
/// @param scratch  float_scratch_bytes() bytes, aligned to a cache line, of this call alone
template <class Arch, WeightCodec Codec>
void multiply_float_tiles(const packed_view<Codec>& W, const float_activations& X, const product_output& Y,
                          std::byte* scratch, index first, index end) {
  float_product<Arch, Codec> product(W, X, scratch);
  for (index row_tile = first; row_tile < end; ++row_tile) product.multiply(row_tile, Y);
}

/// The stages as the including translation unit compiles them.
template <class Arch, WeightCodec Codec>
struct included_stages {
  /// A single token may bring tables; see plane_lookups.hpp.
  static constexpr bool has_tables = integer_lanes<Arch>::has_table_of_64;

  static void quantize(const float* X, index stride, index first, index end, const activation_view& result) {
    quantize_blocks<Arch>(X, stride, first, end, result);
  }
  static void multiply_integers(const packed_view<Codec>& W, const activation_view& X, const product_output& Y,
                                std::byte* scratch, index first, index end) {
    multiply_integer_tiles<Arch>(W, X, Y, scratch, first, end);
  }
  static void multiply_floats(const packed_view<Codec>& W, const float_activations& X, const product_output& Y,
                              std::byte* scratch, index first, index end) {
    multiply_float_tiles<Arch>(W, X, Y, scratch, first, end);
  }
};

}  // namespace luq::detail
