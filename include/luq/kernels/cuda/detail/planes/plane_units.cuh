// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// How one row of a plane is made of words, and which of them a lane has.
//
// A plane of a tile is a sequence of units. A unit is one 32-bit word of every row. The four bytes of a word hold
// several symbols each: slot s of a unit is the s-th symbol of its four bytes, which are four neighbouring columns. The
// last unit of a row may have had fewer than four bytes before it was padded; its slots have as many columns.
//
// A chunk is 128 columns of one group (160 if the plane stores base-3 digits; plane_limits.hpp). The last chunk of a
// group may be shorter. A warp has half a row tile, which is 32 rows. A lane has four neighbouring rows, whose words
// are 16 bytes, and every fourth unit:
//
//   lane = 4 g + t      rows 4g ... 4g+3      units t, t + 4, t + 8, ... of the chunk
#pragma once

#include <cstdint>

#include "luq/codecs/tile_layout.hpp"
#include "luq/kernels/cuda/detail/planes/plane_limits.hpp"
#include "luq/kernels/cuda/detail/warp/warp.cuh"
#include "luq/kernels/cuda/plane_codec.hpp"

namespace luq::cuda::detail {

/// The units of one row of a plane.
template <int Radix>
struct plane_units {
  static constexpr int symbols = static_cast<int>(radix_traits<Radix>::symbols_per_byte);
  static constexpr int columns_of_word = 4 * symbols;

  int columns;

  [[nodiscard]] constexpr int row_bytes() const { return (columns + symbols - 1) / symbols; }
  [[nodiscard]] constexpr int words() const { return row_bytes() / 4; }
  [[nodiscard]] constexpr int tail_bytes() const { return row_bytes() % 4; }
  [[nodiscard]] constexpr int count() const { return (row_bytes() + 3) / 4; }

  /// The column, in stored order, of a byte of a slot of a unit. A place without a column has a number >= `columns`.
  [[nodiscard]] constexpr int column(int unit, int slot, int byte) const {
    const int width = unit < words() ? 4 : tail_bytes();
    return byte < width ? unit * columns_of_word + width * slot + byte : columns;
  }

  struct place {
    int unit;
    int slot;
    int byte;
  };
  /// The place of a column below `columns`. This is the inverse of column().
  [[nodiscard]] constexpr place place_of(int column) const {
    const int whole = words() * columns_of_word;
    if (column < whole) return {column / columns_of_word, column % columns_of_word / 4, column % 4};
    return {words(), (column - whole) / tail_bytes(), (column - whole) % tail_bytes()};
  }
};

/// The four symbols of one slot of a word, one in each byte.
template <int Radix>
[[nodiscard]] LUQ_DEVICE_CODE std::uint32_t symbols_of_slot(std::uint32_t word, int slot) {
  if constexpr (Radix == 3) {
    // Two bytes at a time, in lanes of 16 bits: ((byte * 3^slot mod 256) * 3) >> 8.
    constexpr std::uint32_t low_bytes = 0x00ff00ffu;
    const std::uint32_t power = slot == 0 ? 1u : slot == 1 ? 3u : slot == 2 ? 9u : slot == 3 ? 27u : 81u;
    const std::uint32_t even = (((word & low_bytes) * power) & low_bytes) * 3u;
    const std::uint32_t odd = ((((word >> 8) & low_bytes) * power) & low_bytes) * 3u;
    return ((even >> 8) & low_bytes) | (odd & ~low_bytes);
  } else if constexpr (BitFieldRadix<Radix>) {
    constexpr std::uint32_t mask = 0x01010101u * static_cast<std::uint32_t>(Radix - 1);
    return (word >> (radix_traits<Radix>::slot_bits * slot)) & mask;
  } else {
    std::uint32_t symbols = 0;
    for (int shift = 0; shift < 32; shift += 8) {
      const int symbol = radix_traits<Radix>::extract(static_cast<std::uint8_t>(word >> shift), slot);
      symbols |= static_cast<std::uint32_t>(symbol) << shift;
    }
    return symbols;
  }
}

inline constexpr int rows_of_warp = 32;
static_assert(tile_rows == 2 * rows_of_warp);

/// Rows of one lane. They are neighbours, so that their words are 16 bytes.
inline constexpr int rows_of_lane = 4;

struct alignas(16) lane_words {
  std::uint32_t word[rows_of_lane];
};

/// Columns of a chunk, the same for all planes of a codec.
template <PlaneCodec Codec>
inline constexpr int chunk_columns = columns_of_chunk<static_cast<int>(Codec::planes.front())>;

}  // namespace luq::cuda::detail
