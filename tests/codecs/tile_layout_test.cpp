// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/codecs/tile_layout.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "codecs/stored_radices.hpp"
#include "quantizers/codec_list.hpp"

using luq::locate_symbol;
using luq::plane_row_bytes;
using luq::radix_traits;
using luq::tile_layout;

namespace {

/// A plane as the picture draws it, byte by byte and slot by slot: calls visit(byte, slot, row, column), where column
/// may be k or more in unused slots.
template <int Radix, class Visit>
void walk_plane(luq::index h, luq::index k, Visit&& visit) {
  const luq::index symbols = radix_traits<Radix>::symbols_per_byte;
  const luq::index row_bytes = (k + symbols - 1) / symbols;
  const luq::index words = row_bytes / 4;
  const luq::index tail = row_bytes - 4 * words;
  luq::index byte = 0;
  for (luq::index word = 0; word < words; ++word) {
    for (luq::index row = 0; row < h; ++row) {
      for (luq::index b = 0; b < 4; ++b, ++byte) {
        for (luq::index slot = 0; slot < symbols; ++slot) visit(byte, slot, row, word * 4 * symbols + 4 * slot + b);
      }
    }
  }
  for (luq::index row = 0; row < h; ++row) {
    for (luq::index b = 0; b < tail; ++b, ++byte) {
      for (luq::index slot = 0; slot < symbols; ++slot) visit(byte, slot, row, words * 4 * symbols + tail * slot + b);
    }
  }
}

}  // namespace

TEST_CASE("bytes to a row") {
  static_assert(plane_row_bytes<2>(128) == 16 && plane_row_bytes<2>(129) == 17 && plane_row_bytes<2>(1) == 1);
  static_assert(plane_row_bytes<3>(128) == 26 && plane_row_bytes<3>(160) == 32 && plane_row_bytes<3>(256) == 52);
  static_assert(plane_row_bytes<4>(7) == 2 && plane_row_bytes<16>(7) == 4 && plane_row_bytes<256>(7) == 7);
  static_assert(luq::tile_rows == 64);
}

TEST_CASE("a word of signs holds the columns of the picture") {
  // From the picture: the columns of bits 0 ... 7 of each byte.
  constexpr std::array<std::array<luq::index, 8>, 4> columns{{{0, 4, 8, 12, 16, 20, 24, 28},
                                                              {1, 5, 9, 13, 17, 21, 25, 29},
                                                              {2, 6, 10, 14, 18, 22, 26, 30},
                                                              {3, 7, 11, 15, 19, 23, 27, 31}}};
  for (luq::index byte = 0; byte < 4; ++byte) {
    for (luq::index bit = 0; bit < 8; ++bit) {
      const luq::index column = columns[static_cast<std::size_t>(byte)][static_cast<std::size_t>(bit)];
      const luq::symbol_position first = locate_symbol<2>(3, 32, 0, column);
      CHECK(first.byte == byte);
      CHECK(first.slot == bit);
      CHECK(locate_symbol<2>(3, 32, 2, column).byte == 8 + byte);  // after the words of rows 0 and 1
    }
  }
}

TEST_CASE("positions worked by hand") {
  const auto is = [](luq::symbol_position p, luq::index byte, luq::index slot) {
    return p.byte == byte && p.slot == slot;
  };
  // 50 signs are 7 bytes: a word, and a tail of 3 bytes that starts after the words of both rows.
  CHECK(is(locate_symbol<2>(2, 50, 1, 31), 7, 7));
  CHECK(is(locate_symbol<2>(2, 50, 0, 32), 8, 0));
  CHECK(is(locate_symbol<2>(2, 50, 0, 34), 10, 0));
  CHECK(is(locate_symbol<2>(2, 50, 0, 35), 8, 1));
  CHECK(is(locate_symbol<2>(2, 50, 1, 49), 13, 5));  // 49 - 32 = 3*5 + 2: the last byte of row 1
  // 22 trits are 5 bytes: a word of 20 columns, and a tail of one byte.
  CHECK(is(locate_symbol<3>(4, 22, 3, 19), 15, 4));
  CHECK(is(locate_symbol<3>(4, 22, 3, 21), 19, 1));
  // 8-bit codes have one slot: words of four columns, then what is left.
  CHECK(is(locate_symbol<256>(2, 6, 1, 3), 7, 0));
  CHECK(is(locate_symbol<256>(2, 6, 1, 5), 11, 0));
}

TEST_CASE("every symbol has the place that the picture gives it, and no place is shared or left over") {
  luq_test::for_each_stored_radix([](auto radix) {
    for (const luq::index h : {1, 2, 5, 64}) {
      for (luq::index k = 1; k <= 100; ++k) {
        CAPTURE(h);
        CAPTURE(k);
        luq::index wrong = 0;
        luq::index used = 0;
        luq::index bytes = 0;
        walk_plane<radix()>(h, k, [&](luq::index byte, luq::index slot, luq::index row, luq::index column) {
          bytes = byte + 1;
          if (column >= k) return;
          ++used;
          const luq::symbol_position position = locate_symbol<radix()>(h, k, row, column);
          wrong += position.byte != byte || position.slot != slot;
        });
        CHECK(wrong == 0);
        CHECK(used == h * k);
        CHECK(bytes == h * plane_row_bytes<radix()>(k));
      }
    }
  });
}

TEST_CASE("tiles follow one another without gaps, row tile by row tile, then the column flags") {
  for (const luq::index group : {luq::whole_row, luq::index{1}, luq::index{24}, luq::index{500}}) {
    luq_test::for_each_codec(group, [&](const auto& codec) {
      for (const luq::index rows : {1, 63, 64, 65, 128, 200}) {
        for (const luq::index cols : {1, 23, 24, 25, 48, 70}) {
          CAPTURE(luq::codec_name(codec));
          CAPTURE(rows);
          CAPTURE(cols);
          const tile_layout layout(codec, rows, cols);
          const luq::index columns = group == luq::whole_row ? cols : std::min(group, cols);
          luq::index row = 0;
          luq::index offset = 0;
          luq::index row_tile = 0;
          for (; row < rows; row += layout.rows_of(row_tile++)) {
            CHECK(layout.rows_of(row_tile) == std::min<luq::index>(64, rows - row));
            luq::index column = 0;
            luq::index g = 0;
            for (; column < cols; column += layout.columns_of(g++)) {
              CHECK(layout.first_column(g) == column);
              CHECK(layout.columns_of(g) == std::min(columns, cols - column));
              CHECK(layout.tile_offset(row_tile, g) == offset);
              offset += layout.tile_bytes(layout.rows_of(row_tile), layout.columns_of(g));
            }
            CHECK(layout.groups() == g);
          }
          CHECK(layout.row_tiles() == row_tile);
          CHECK(layout.flags_offset() == offset);
          CHECK(layout.bytes() ==
                offset + (luq::column_class_count<std::decay_t<decltype(codec)>> == 2 ? (cols + 7) / 8 : 0));
          CHECK(luq::packed_bytes(codec, rows, cols) == layout.bytes());
        }
      }
    });
  }
}

TEST_CASE("a tile is its planes and the parameters of its rows") {
  // 3 bits: a plane of 2 bits, 6 bytes of 24 columns, and one of 1 bit, 3 bytes; h rows each
  CHECK(tile_layout<luq::int_codec<3>>::code_bytes(10, 24) == 90);
  const luq::int_codec<3> codec{.group = 24};
  CHECK(tile_layout(codec, 10, 24).tile_bytes(10, 24) == 90 + 20 + 4);  // fp16 scales, 30 bits of zero points
}

TEST_CASE("an empty matrix has no tiles") {
  CHECK(luq::packed_bytes(luq::sign_codec{}, 0, 0) == 0);
  CHECK(luq::packed_bytes(luq::sign_codec{}, 5, 0) == 0);
  CHECK(luq::packed_bytes(luq::sign_codec{}, 0, 5) == 0);
  CHECK(tile_layout(luq::sign_codec{.group = luq::whole_row}, 5, 0).groups() == 0);
}

TEST_CASE("sizes beyond 32 bits are exact") {
  const luq::index n = luq::index{1} << 20;
  CHECK(luq::packed_bytes(luq::sign_codec{}, n, n) == n * (n / 128) * 18);
  CHECK(tile_layout(luq::sign_codec{}, n, n).tile_offset(n / 64 - 1, n / 128 - 1) == n * (n / 128) * 18 - 64 * 18);
}
