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
//   exact tables        the sum of the integers whose bit is set, -508 ... 508: in two tables, low bytes 0 ... 255 and
//                       the rest, -2 ... 1, times 256. The dot products are those of plane_dots.hpp, bit by bit.
//   rounded tables      the sum of all four activations, each with the sign that its bit says, rounded to 8 bits of the
//                       greatest such sum of the run: half the lookups, and one rounding for four columns. The step is
//                       at most four times that of rounded activations, so that the bound of their error holds.
#pragma once

#include <limits>

#include "luq/kernels/integer_lanes.hpp"
#include "luq/kernels/plane_dots.hpp"

namespace luq::detail {

/// Columns of a table, and its bytes.
inline constexpr index table_columns = 16;
inline constexpr index table_bytes = 64;

/// Exact tables, or one of rounded sums.
enum class table_kind { exact, rounded };

/// Bytes of the tables of `columns` columns.
[[nodiscard]] constexpr index tables_bytes(index columns, table_kind kind) noexcept {
  return columns / table_columns * table_bytes * (kind == table_kind::exact ? 2 : 1);
}

/// Exact tables for `columns` activations, a multiple of 16.
/// @param x       quads
/// @param tables  for each 16 columns the table of low bytes, then that of high ones; aligned to 64 bytes
template <class Arch>
void tabulate_sums(const std::int8_t* x, index columns, std::uint8_t* tables) {
  for (index c = 0; c < columns; c += table_columns, tables += 2 * table_bytes) {
    integer_lanes<Arch>::tabulate_sums(x + c, tables, tables + table_bytes);
  }
}

/// Rounded tables for `columns` activations, a multiple of 16. Returns their step: greatest sum of four magnitudes / 127.
/// @param x  finite, [columns]
template <class Arch>
[[nodiscard]] float tabulate_rounded_sums(const float* x, index columns, std::uint8_t* tables) {
  using lanes = integer_lanes<Arch>;
  float greatest = 0;
  for (index c = 0; c < columns; c += table_columns) greatest = std::max(greatest, lanes::greatest_sum_of_four(x + c));
  const float step = greatest / 127.0f;
  const float inverse = step > 0 ? 1.0f / step : 0.0f;
  // The inverse of a tiny subnormal step is infinite; such activations are zero for every purpose.
  const float factor = inverse <= std::numeric_limits<float>::max() ? inverse : 0.0f;
  for (index c = 0; c < columns; c += table_columns, tables += table_bytes) {
    lanes::tabulate_rounded_sums(x + c, factor, tables);
  }
  return step;
}

/// dots[r] += sum of table entries over `words` words of a plane of radix 2, for the 64 rows r. Of exact tables that is
/// the sum of bit * activation.
/// @param tables  of the columns of the words
template <class Arch, table_kind Kind, word_source Source = word_source::plane>
LUQ_ALWAYS_INLINE void add_plane_lookups(const std::byte* plane, [[maybe_unused]] const std::byte* other, index words,
                                         const std::uint8_t* tables, std::int32_t* dots) {
  using lanes = integer_lanes<Arch>;
  constexpr index vectors = tile_rows / lanes::lanes;
  constexpr index vector_bytes = lanes::lanes * 4;
  constexpr index bytes_of_half = tables_bytes(table_columns, Kind);
  const auto ones = lanes::broadcast(0x01010101u);
  const auto four_bits = lanes::broadcast(0x0f0f0f0fu);
  const auto first_of_byte = lanes::broadcast(0x30201000u);
  typename lanes::sums low[vectors];
  typename lanes::sums high[vectors];
#pragma GCC unroll 16
  for (index v = 0; v < vectors; ++v) low[v] = high[v] = lanes::zero();
  for (index w = 0; w < words; ++w, tables += 2 * bytes_of_half) {
    typename lanes::words word[vectors];
#pragma GCC unroll 16
    for (index v = 0; v < vectors; ++v) {
      const index offset = w * tile_rows * 4 + v * vector_bytes;
      word[v] = lanes::load(plane + offset);
      if constexpr (Source == word_source::conjunction) {
        word[v] = lanes::bit_and(word[v], lanes::load(other + offset));
      } else {
        prefetch_to_second_level<lanes>(plane + offset);
      }
      word[v] = lanes::in_register(word[v]);
    }
#pragma GCC unroll 2
    for (index half = 0; half < 2; ++half) {
      const auto table = lanes::in_register(lanes::load(tables + half * bytes_of_half));
      [[maybe_unused]] auto high_table = table;
      if constexpr (Kind == table_kind::exact) {
        high_table = lanes::in_register(lanes::load(tables + half * bytes_of_half + table_bytes));
      }
#pragma GCC unroll 16
      for (index v = 0; v < vectors; ++v) {
        const auto bits = half == 0 ? word[v] : lanes::shift_right(word[v], 4);
        const auto index_of_entry = lanes::bit_or(lanes::bit_and(bits, four_bits), first_of_byte);
        const auto entry = lanes::lookup_64(table, index_of_entry);
        if constexpr (Kind == table_kind::exact) {
          low[v] = lanes::dot(low[v], entry, ones);
          high[v] = lanes::dot(high[v], ones, lanes::lookup_64(high_table, index_of_entry));
        } else {
          low[v] = lanes::dot(low[v], ones, entry);
        }
      }
    }
  }
#pragma GCC unroll 16
  for (index v = 0; v < vectors; ++v) {
    std::int32_t* out = dots + v * lanes::lanes;
    const auto sum = lanes::add(low[v], lanes::scale_up(high[v], 8));  // high is 0 of rounded tables
    lanes::store_sums(out, lanes::add(lanes::load_sums(out), sum));
  }
}

}  // namespace luq::detail
