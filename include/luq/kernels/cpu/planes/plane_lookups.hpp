// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Dot products of one token with a plane of signs by table: four bits of a row select one of the sixteen sums of four
// activations (after T-MAC, Wei et al., 2024, whose tables are shared by all rows of a register in the same way). It
// takes instruction sets with a lookup in 64 bytes (integer_lanes<Arch>::has_table_of_64).
//
// A byte of a word holds two times four columns that are four apart (tile_layout.hpp). So sixteen columns take four
// tables, one for each byte of the word, and the low or high bits of all bytes are looked up at once:
//
//   index of byte b     16 b + bits                 bits j: column 4 j + b of the sixteen
//
//   entry               the sum of all four activations, each with the sign that its bit says, rounded to 8 bits of the
//                       greatest such sum of the run
//
// There is one rounding for four columns, and its step is at most four times that of rounded activations, so that the
// bound of their error holds. It takes a lookup and a dot product for 64 rows and four columns where plane_dots.hpp
// takes four of these, and is the faster the less time reading the weights takes.
#pragma once

#include <algorithm>
#include <cstdint>

#include "luq/kernels/cpu/lanes/integer_lanes.hpp"
#include "luq/kernels/cpu/planes/plane_dots.hpp"

namespace luq::detail {

/// Columns of a table, and its bytes.
inline constexpr index table_columns = 16;
inline constexpr index table_bytes = 64;

/// Bytes of the tables of `columns` columns.
[[nodiscard]] constexpr index tables_bytes(index columns) noexcept {
  return columns / table_columns * table_bytes;
}

/// 1 / step for a finite step >= 0, or 0 where that is infinite, up to 2^-128: activations of so small a step are zero
/// for every purpose.
[[nodiscard]] LUQ_ALWAYS_INLINE float finite_inverse(float step) noexcept {
  return step > 0x1p-128f ? 1.0f / step : 0.0f;
}

/// Tables for `columns` activations, a multiple of 16. Returns their step: greatest sum of four magnitudes / 127.
/// @param x       finite, [columns]
/// @param tables  tables_bytes(columns), aligned to 64 bytes
template <class Arch>
[[nodiscard]] float tabulate_sums(const float* x, index columns, std::uint8_t* tables) {
  using lanes = integer_lanes<Arch>;
  float greatest = 0;
  for (index c = 0; c < columns; c += table_columns) {
    greatest = (std::max)(greatest, lanes::greatest_sum_of_four(x + c));
  }
  const float step = greatest / 127.0f;
  const float factor = finite_inverse(step);
  for (index c = 0; c < columns; c += table_columns, tables += table_bytes) {
    lanes::tabulate_sums(x + c, factor, tables);
  }
  return step;
}

/// dots of row r += sum of the entries that `words` words of a plane of radix 2 select.
/// @param other   the same of the second plane, for conjunctions
/// @param tables  of the columns of the words
template <class Arch, word_source Source = word_source::plane>
LUQ_ALWAYS_INLINE void add_plane_lookups(const std::byte* plane, [[maybe_unused]] const std::byte* other, index words,
                                         const std::uint8_t* tables, row_sums<Arch>& dots) {
  using lanes = integer_lanes<Arch>;
  constexpr index vectors = row_sums<Arch>::vectors;
  constexpr index vector_bytes = lanes::lanes * 4;
  const auto ones = lanes::broadcast(0x01010101u);
  const auto four_bits = lanes::broadcast(0x0f0f0f0fu);
  const auto first_of_byte = lanes::broadcast(0x30201000u);
  for (index w = 0; w < words; ++w, tables += 2 * table_bytes) {
    typename lanes::words word[vectors];
    unrolled<vectors>([&](auto v) {
      const index offset = w * tile_rows * 4 + v() * vector_bytes;
      word[v()] = lanes::load(plane + offset);
      if constexpr (Source == word_source::conjunction) {
        word[v()] = lanes::bit_and(word[v()], lanes::load(other + offset));
      } else {
        prefetch_weights<lanes>(plane + offset);
      }
      word[v()] = lanes::in_register(word[v()]);
    });
    unrolled<2>([&](auto half) {
      const auto table = lanes::in_register(lanes::load(tables + half() * table_bytes));
      unrolled<vectors>([&](auto v) {
        const auto bits = half() == 0 ? word[v()] : lanes::shift_right(word[v()], 4);
        const auto entry = lanes::lookup_64(table, lanes::bit_or(lanes::bit_and(bits, four_bits), first_of_byte));
        dots.of[v()] = lanes::dot(dots.of[v()], ones, entry);
      });
    });
  }
}

}  // namespace luq::detail
