// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Dot products of one token with a plane of signs by table: four bits of a row select one of the sixteen sums of four
// activations. As plane_dots.hpp computes them, and the same integers, with half as many instructions where there is
// a lookup in 64 bytes (integer_lanes<Arch>::has_table_of_64); after T-MAC (Wei et al., 2024), whose tables are shared
// by all rows of a register in the same way.
//
// A byte of a word holds two times four columns that are four apart (tile_layout.hpp). So sixteen columns take four
// tables, one for each byte of the word, and the low or high bits of all bytes are looked up at once:
//
//   index of byte b     16 b + bits                        bits j: column 4 j + b of the sixteen
//   sum                 -508 ... 508, in two tables: low byte 0 ... 255, and the rest, -2 ... 1, times 256
#pragma once

#include "luq/kernels/integer_lanes.hpp"
#include "luq/kernels/plane_dots.hpp"

namespace luq::detail {

/// Columns and bytes of a pair of tables.
inline constexpr index table_columns = 16;
inline constexpr index table_bytes = 128;  ///< 64 low bytes, then 64 high ones

/// Tables for `columns` activations, a multiple of 16.
/// @param x       quads
/// @param tables  table_bytes for each 16 columns, aligned to 64 bytes
template <class Arch>
void tabulate_sums(const std::int8_t* x, index columns, std::uint8_t* tables) {
  for (index c = 0; c < columns; c += table_columns, tables += table_bytes) {
    integer_lanes<Arch>::tabulate_sums(x + c, tables, tables + 64);
  }
}

/// dots[r] += sum of bit * activation over `words` words of a plane of radix 2, for the 64 rows r.
/// @param tables  of the columns of the words
template <class Arch, word_source Source = word_source::plane>
void add_plane_lookups(const std::byte* plane, [[maybe_unused]] const std::byte* other, index words,
                       const std::uint8_t* tables, std::int32_t* dots) {
  using lanes = integer_lanes<Arch>;
  constexpr index vectors = tile_rows / lanes::lanes;
  constexpr index vector_bytes = lanes::lanes * 4;
  const auto ones = lanes::broadcast(0x01010101u);
  const auto four_bits = lanes::broadcast(0x0f0f0f0fu);
  const auto first_of_byte = lanes::broadcast(0x30201000u);
  typename lanes::sums low[vectors];
  typename lanes::sums high[vectors];
  for (index v = 0; v < vectors; ++v) low[v] = high[v] = lanes::zero();
  for (index w = 0; w < words; ++w, tables += 2 * table_bytes) {
    typename lanes::words word[vectors];
#pragma GCC unroll 16
    for (index v = 0; v < vectors; ++v) {
      const index offset = w * tile_rows * 4 + v * vector_bytes;
      word[v] = lanes::load(plane + offset);
      if constexpr (Source == word_source::conjunction) {
        word[v] = lanes::bit_and(word[v], lanes::load(other + offset));
      } else {
        prefetch_after<lanes>(plane + offset);
      }
    }
#pragma GCC unroll 2
    for (index half = 0; half < 2; ++half) {
      const auto low_table = lanes::in_register(lanes::load(tables + half * table_bytes));
      const auto high_table = lanes::in_register(lanes::load(tables + half * table_bytes + 64));
#pragma GCC unroll 16
      for (index v = 0; v < vectors; ++v) {
        const auto bits = half == 0 ? word[v] : lanes::shift_right(word[v], 4);
        const auto entry = lanes::bit_or(lanes::bit_and(bits, four_bits), first_of_byte);
        low[v] = lanes::dot(low[v], lanes::lookup_64(low_table, entry), ones);
        high[v] = lanes::dot(high[v], ones, lanes::lookup_64(high_table, entry));
      }
    }
  }
#pragma GCC unroll 16
  for (index v = 0; v < vectors; ++v) {
    std::int32_t* out = dots + v * lanes::lanes;
    lanes::store_sums(out, lanes::add(lanes::load_sums(out), lanes::add(low[v], lanes::scale_up(high[v], 8))));
  }
}

}  // namespace luq::detail
