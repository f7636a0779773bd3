// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The inner product of integer kernels: up to four tokens with 64 rows over one run of columns. Weights are operands
// (operand_decoder.hpp), activations quads (activations.hpp); sums stay in registers for the whole run.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <type_traits>

#include "luq/codecs/tile_layout.hpp"
#include "luq/kernels/cpu/lanes/integer_lanes.hpp"

namespace luq::detail {

/// Rows of one tile, each with a number for a run of columns: w = coefficient * (operand - offset) + constant.
struct row_coefficients {
  const float* coefficient;  ///< [tile_rows]
  const float* constant;     ///< [tile_rows], or null for zeros
  std::int32_t offset;
};

/// sums[t][r] += scale_t (coefficient_r (dot_tr - offset sum_t) + constant_r sum_t) for Tokens tokens and 64 rows,
/// where dot_tr is the sum of products over the quads.
/// @param operands  [quads][tile_rows][4]; above integer_lanes<Arch>::widest_operand only with InParts
/// @param x         [quads][Tokens][4]
/// @param scales    of the tokens, `stride` apart
/// @param x_sums    of the tokens' integers, `stride` apart
/// @param sums      [Tokens][tile_rows]
template <class Arch, index Tokens, bool InParts>
void multiply_token_block(const std::uint8_t* operands, const std::int8_t* x, index quads, const row_coefficients& rows,
                          const float* scales, const std::int32_t* x_sums, index stride, float* sums) {
  using lanes = integer_lanes<Arch>;
  constexpr auto of_token = static_cast<std::size_t>(std::max<index>(1, lanes::accumulators / Tokens));
  constexpr index vectors = (std::min)(tile_rows / lanes::lanes, static_cast<index>(std::bit_floor(of_token)));
  static_assert(tile_rows % (vectors * lanes::lanes) == 0);
  // Copies, which stores to the sums cannot change.
  const float* const coefficients = rows.coefficient;
  const float* const constants = rows.constant;
  const std::int32_t offset = rows.offset;
  for (index first = 0; first < tile_rows; first += vectors * lanes::lanes) {
    typename lanes::sums acc[Tokens][vectors];
#pragma GCC unroll 4
    for (index t = 0; t < Tokens; ++t) {
      const auto start = lanes::broadcast_sum(-offset * x_sums[t * stride]);
#pragma GCC unroll 16
      for (index v = 0; v < vectors; ++v) acc[t][v] = start;
    }
    const std::uint8_t* w = operands + first * 4;
    for (index quad = 0; quad < quads; ++quad, w += tile_rows * 4) {
      typename lanes::words weights[vectors];
#pragma GCC unroll 16
      for (index v = 0; v < vectors; ++v) weights[v] = lanes::in_register(lanes::load(w + v * lanes::lanes * 4));
#pragma GCC unroll 4
      for (index t = 0; t < Tokens; ++t) {
        std::uint32_t bytes;
        std::memcpy(&bytes, x + (quad * Tokens + t) * 4, 4);
        const auto activations = lanes::in_register(lanes::broadcast(bytes));
#pragma GCC unroll 16
        for (index v = 0; v < vectors; ++v) {
          acc[t][v] = InParts ? lanes::dot_wide(acc[t][v], weights[v], activations)
                              : lanes::dot(acc[t][v], weights[v], activations);
        }
      }
    }
    const auto add_products = [&](auto has_constants) {
#pragma GCC unroll 4
      for (index t = 0; t < Tokens; ++t) {
        const float scale = scales[t * stride];
        const auto unit = lanes::broadcast_float(scale);
        const auto scaled_sum = lanes::broadcast_float(scale * static_cast<float>(x_sums[t * stride]));
        float* out = sums + t * tile_rows + first;
#pragma GCC unroll 16
        for (index v = 0; v < vectors; ++v) {
          const index at = v * lanes::lanes;
          auto sum = lanes::load_floats(out + at);
          if constexpr (has_constants()) {
            sum = lanes::multiply_add(lanes::load_floats(constants + first + at), scaled_sum, sum);
          }
          const auto scaled = lanes::to_floats(acc[t][v]) * unit;
          lanes::store_floats(out + at,
                              lanes::multiply_add(scaled, lanes::load_floats(coefficients + first + at), sum));
        }
      }
    };
    if (constants == nullptr) {
      add_products(std::false_type());
    } else {
      add_products(std::true_type());
    }
  }
}

}  // namespace luq::detail
