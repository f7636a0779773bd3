// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A tile's codes as plain numbers: one for each weight, [stored column][row], so that the rows of a column are
// neighbours as they are in the packed planes. Each plane is read once, front to back.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>

#include "luq/codecs/tile_layout.hpp"
#include "luq/core/detail/unrolled.hpp"

namespace luq::detail {

/// Adds `weight` times the symbols of one plane to `codes` [k][h].
template <class Arch, int Radix>
void add_plane_symbols(const std::byte* plane, index h, index k, int weight, code* codes) {
  constexpr index symbols = radix_traits<Radix>::symbols_per_byte;
  const index words = plane_row_bytes<Radix>(k) / 4;
  const index tail = plane_row_bytes<Radix>(k) % 4;
  // The bytes of a unit (a word, or the tail) lie `unit` apart from row to row.
  const auto add_unit = [&](const std::byte* unit_bytes, index unit, index first_column) {
    for (index slot = 0; slot < symbols; ++slot) {
      for (index byte = 0; byte < unit; ++byte) {
        const index column = first_column + unit * slot + byte;
        if (column >= k) return;
        code* out = codes + column * h;
        for (index r = 0; r < h; ++r) {
          const auto packed = std::to_integer<std::uint8_t>(unit_bytes[r * unit + byte]);
          out[r] = static_cast<code>(out[r] + weight * radix_traits<Radix>::extract(packed, slot));
        }
      }
    }
  };
  for (index word = 0; word < words; ++word) add_unit(plane + word * h * 4, 4, word * 4 * symbols);
  if (tail > 0) add_unit(plane + words * h * 4, tail, words * 4 * symbols);
}

/// Writes the codes of a tile of h rows and k columns to `codes` [k][h].
template <class Arch, WeightCodec Codec>
void decode_tile_codes(std::span<const std::byte> tile, index h, index k, code* codes) {
  std::memset(codes, 0, static_cast<std::size_t>(k * h) * sizeof(code));
  const std::byte* plane = tile.data();
  int weight = 1;
  unrolled<static_cast<index>(Codec::planes.size())>([&](auto p) {
    constexpr auto radix = static_cast<int>(Codec::planes[p()]);
    add_plane_symbols<Arch, radix>(plane, h, k, weight, codes);
    plane += h * plane_row_bytes<radix>(k);
    weight *= radix;
  });
  if constexpr (SequenceCodec<Codec>) {  // symbols so far: each becomes a code by those before it
    for (index r = 0; r < h; ++r) codes[r] = Codec::next(0, codes[r]);
    for (index i = h; i < k * h; ++i) codes[i] = Codec::next(codes[i - h], codes[i]);
  }
}

}  // namespace luq::detail
