// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Where each code of a packed matrix lies. One layout serves every codec: it knows radices and sizes, not meanings.
//
// The matrix is cut into row tiles of 64 rows (the last one has what is left; no row is ever padded) and column
// groups. Tiles follow one another row tile by row tile, and within a row tile group by group, so that the rows of
// one thread are one contiguous range of bytes that a kernel reads front to back:
//
//   row tile 0                              row tile 1                            last
//   | group 0 | group 1 | ... | ragged group | group 0 | ...                      | column flags, if the codec has any
//
// A tile of h rows and k columns holds its code planes, then its parameters:
//
//   | plane 0 | plane 1 | ... | parameters of h rows (detail/parameter_storage.hpp) |
//
// A plane stores one symbol of each code, s symbols to a byte (radix.hpp: s = 8, 5, 4, 2, 1 for radix 2, 3, 4, 16,
// 256), hence B = ceil(k / s) bytes for each row. These are cut into 32-bit words, and the words of the h rows are
// interleaved, so that lane r of a vector register is row r; what is left of B (t = 0 ... 3 bytes) is interleaved
// likewise:
//
//   word 0: row 0 | row 1 | ... | row h-1 | word 1: row 0 | ... | row h-1 | ... | tail of t bytes: row 0 | ... | row
//   h-1
//
// A word holds 4s consecutive columns, column 4*slot + byte in slot `slot` of byte `byte` (for the tail t*slot + byte):
// one slot of a word is thus 4 consecutive columns, what an 8-bit dot-product instruction takes per lane. Signs, s = 8:
//
//   byte          3                   2                   1                   0
//   bit    7  6 ... 1  0       7  6 ... 1  0       7  6 ... 1  0       7  6 ... 1  0
//   column 31 27 ... 7  3      30 26 ... 6  2      29 25 ... 5  1      28 24 ... 4  0
//
// What a slot of a byte is, the radix says (radix.hpp): a bit field of a power of two, a digit of a fraction of base 3.
// Unused slots hold symbol 0.
//
// Where a codec has two column classes, the columns of a group are stored in the order class 1, class 0 (each in
// its natural order); the flags that say so, one bit per column, stand once at the end of the matrix.
//
// The layout does not depend on the vector length of the machine that wrote it. Multi-byte values are little-endian.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include "luq/codecs/bit_packing.hpp"
#include "luq/codecs/radix.hpp"
#include "luq/codecs/weight_codec.hpp"
#include "luq/core/inline.hpp"

namespace luq {

/// Rows of a tile; the last row tile of a matrix may have fewer.
inline constexpr index tile_rows = 64;

/// Bytes of one row of a plane of k columns.
template <int Radix>
[[nodiscard]] LUQ_ALWAYS_INLINE constexpr index plane_row_bytes(index k) noexcept {
  constexpr index symbols = radix_traits<Radix>::symbols_per_byte;
  return (k + symbols - 1) / symbols;
}

/// Where the symbol of one weight lies in its plane.
struct symbol_position {
  index byte;  ///< from the start of the plane
  index slot;  ///< within the byte, 0 ... symbols_per_byte-1
};

/// Position of column `column` (in stored order) of row `row` in a plane of h rows and k columns.
template <int Radix>
[[nodiscard]] constexpr symbol_position locate_symbol(index h, index k, index row, index column) noexcept {
  constexpr index symbols = radix_traits<Radix>::symbols_per_byte;
  const index words = plane_row_bytes<Radix>(k) / 4;
  const index tail = plane_row_bytes<Radix>(k) % 4;
  const index word = column / (4 * symbols);
  if (word < words) {
    const index within = column % (4 * symbols);
    return {(word * h + row) * 4 + within % 4, within / 4};
  }
  const index within = column - words * 4 * symbols;
  return {words * h * 4 + row * tail + within % tail, within / tail};
}

/// Sizes and offsets of the packed form of a [rows x cols] matrix, all in bytes.
template <class Codec>
class tile_layout {
 public:
  tile_layout(const Codec& codec, index rows, index cols)
      : codec_(codec), rows_(rows), cols_(cols), group_(group_size(codec, cols)) {
    LUQ_ASSERT(rows >= 0 && cols >= 0 && codec.group >= 0);
  }

  [[nodiscard]] LUQ_ALWAYS_INLINE index row_tiles() const { return (rows_ + tile_rows - 1) / tile_rows; }
  [[nodiscard]] LUQ_ALWAYS_INLINE index groups() const { return cols_ == 0 ? 0 : (cols_ + group_ - 1) / group_; }
  [[nodiscard]] LUQ_ALWAYS_INLINE index rows_of(index row_tile) const {
    return (std::min)(tile_rows, rows_ - row_tile * tile_rows);
  }
  [[nodiscard]] LUQ_ALWAYS_INLINE index columns_of(index group) const {
    return (std::min)(group_, cols_ - group * group_);
  }
  [[nodiscard]] LUQ_ALWAYS_INLINE index first_column(index group) const { return group * group_; }

  /// Bytes of the code planes of a tile of h rows and k columns.
  [[nodiscard]] LUQ_ALWAYS_INLINE static constexpr index code_bytes(index h, index k) {
    return h * row_bytes_of_planes(k, std::make_index_sequence<Codec::planes.size()>());
  }

  /// Bytes of the parameters of a tile of h rows.
  [[nodiscard]] LUQ_ALWAYS_INLINE index parameter_bytes(index h) const { return detail::parameter_bytes(codec_, h); }

  [[nodiscard]] LUQ_ALWAYS_INLINE index tile_bytes(index h, index k) const {
    return code_bytes(h, k) + parameter_bytes(h);
  }

  /// Bytes of all tiles of a row tile of h rows.
  [[nodiscard]] index row_tile_bytes(index h) const {
    if (groups() == 0) return 0;
    return (groups() - 1) * tile_bytes(h, group_) + tile_bytes(h, columns_of(groups() - 1));
  }

  /// Offset of a tile from the start of the matrix.
  [[nodiscard]] index tile_offset(index row_tile, index group) const {
    return row_tile * row_tile_bytes(tile_rows) + group * tile_bytes(rows_of(row_tile), group_);
  }

  /// Offset of the column flags; equal to bytes() where the codec has none.
  [[nodiscard]] index flags_offset() const {
    if (row_tiles() == 0) return 0;
    return (row_tiles() - 1) * row_tile_bytes(tile_rows) + row_tile_bytes(rows_of(row_tiles() - 1));
  }

  [[nodiscard]] index bytes() const {
    return flags_offset() + (column_class_count<Codec> > 1 ? bit_packed_bytes(cols_, 1) : 0);
  }

 private:
  template <std::size_t... P>
  [[nodiscard]] LUQ_ALWAYS_INLINE static constexpr index row_bytes_of_planes(index k, std::index_sequence<P...>) {
    return (plane_row_bytes<static_cast<int>(Codec::planes[P])>(k) + ...);
  }

  Codec codec_;
  index rows_;
  index cols_;
  index group_;
};

/// Exact bytes of a packed [rows x cols] matrix.
template <class Codec>
requires requires { Codec::planes; }
[[nodiscard]] index packed_bytes(const Codec& codec, index rows, index cols) {
  return tile_layout(codec, rows, cols).bytes();
}

}  // namespace luq
