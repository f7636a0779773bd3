// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// How a packed product is wanted.
#pragma once

#include "luq/core/index.hpp"

namespace luq {

/// How a kernel takes activations.
enum class activation_mode {
  float32,  ///< as they are: the product is exact but for float rounding
  int8,     ///< rounded to integers for each token and run: what integer instructions multiply
  /// For a single token and codecs of sign planes, sums of four activations are tabulated for all signs and rounded
  /// (cpu/planes/plane_lookups.hpp): faster where weights come from a cache, or are BiLLM's, with errors of the size of
  /// int8's. Where there is no such table (other codecs, more tokens, columns or groups that are no multiple of 32,
  /// other instruction sets), the same as int8.
  lookup,
};

/// Tokens from which on codecs of several components multiply levels rounded to 8 bits in int8 mode
/// (cpu/stages/integer_product.hpp).
inline constexpr index tokens_of_levels = 3;

struct matmul_options {
  activation_mode activations = activation_mode::float32;
  bool accumulate = false;      ///< add to Y instead of overwriting it
  const float* bias = nullptr;  ///< [out], added to each token's row; null for none
};

}  // namespace luq
