// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The planes of one tile as integer kernels read them: always of 64 rows. The last row tile of a matrix may have fewer;
// it is copied, row by row into every word, to a buffer where the missing rows are 0.
#pragma once

#include <array>
#include <cstring>
#include <span>

#include "luq/codecs/tile_layout.hpp"
#include "luq/core/detail/unrolled.hpp"

namespace luq::detail {

/// One plane: `words` words of tile_rows rows, then a tail of 0 to 3 bytes of each row.
struct plane_view {
  const std::byte* bytes;
  index words;
  index tail_bytes;

  [[nodiscard]] const std::byte* tail() const { return bytes + words * tile_rows * 4; }
};

template <class Codec>
struct tile_planes {
  std::array<plane_view, Codec::planes.size()> planes;

  /// @param codes  of a tile of tile_rows rows and k columns
  tile_planes(const std::byte* codes, index k) {
    unrolled<static_cast<index>(Codec::planes.size())>([&](auto p) {
      const index row_bytes = plane_row_bytes<static_cast<int>(Codec::planes[p()])>(k);
      planes[p()] = {codes, row_bytes / 4, row_bytes % 4};
      codes += row_bytes * tile_rows;
    });
  }
};

/// Copies the codes of a tile of h < tile_rows rows and k columns into a tile of tile_rows rows.
/// @param padded  tile_layout<Codec>::code_bytes(tile_rows, k) bytes
template <class Arch, class Codec>
void pad_codes(const std::byte* codes, index h, index k, std::byte* padded) {
  std::memset(padded, 0, static_cast<std::size_t>(tile_layout<Codec>::code_bytes(tile_rows, k)));
  unrolled<static_cast<index>(Codec::planes.size())>([&](auto p) {
    const index row_bytes = plane_row_bytes<static_cast<int>(Codec::planes[p()])>(k);
    for (index byte = 0; byte < row_bytes;) {
      const index unit = std::min<index>(4, row_bytes - byte);  // a word, or the tail
      std::memcpy(padded, codes, static_cast<std::size_t>(h * unit));
      codes += h * unit;
      padded += tile_rows * unit;
      byte += unit;
    }
  });
}

}  // namespace luq::detail
