// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Operands of a tile against the components of its codes, in memory of just the size that a decoder may touch.
#pragma once

#include <algorithm>
#include <vector>

#include "codecs/random_coded_matrix.hpp"
#include "luq/codecs/packed_matrix.hpp"
#include "luq/kernels/cpu/operands/operand_decoder.hpp"
#include "luq/kernels/cpu/operands/tile_decoder.hpp"

namespace luq_test {

/// A tile of 64 rows: its packed codes and the codes themselves.
template <class Codec>
struct tile_of_codes {
  luq::index k;
  std::vector<std::byte> packed;
  std::vector<luq::code> codes;  // [k][64]

  /// The first k columns of a matrix of 64 rows in one group.
  tile_of_codes(const luq::coded_matrix<Codec>& source, luq::index k_)
      : k(k_), codes(static_cast<std::size_t>(k * luq::tile_rows)) {
    luq::coded_matrix<Codec> coded(source.codec, luq::tile_rows, k);
    coded.codes = source.codes.leftCols(k);
    coded.groups[0].values = source.groups[0].values;  // all columns are of class 0
    const luq::packed_matrix<Codec> matrix = luq::pack(coded);
    packed.assign(matrix.bytes().begin(), matrix.bytes().begin() + luq::tile_layout<Codec>::code_bytes(64, k));
    luq::detail::decode_tile_codes<luq::default_arch, Codec>(packed, luq::tile_rows, k, codes.data());
  }

  [[nodiscard]] luq::code at(luq::index r, luq::index column) const {
    return codes[static_cast<std::size_t>(column * luq::tile_rows + r)];
  }
  [[nodiscard]] luq::detail::tile_planes<Codec> planes() const { return {packed.data(), k}; }
};

/// Operands of columns first ... end-1 that are not expected(row, column), where `decode` writes them to the memory
/// that it is given.
template <class Codec, class Decode, class Expected>
int count_wrong_operands(luq::index first, luq::index end, Decode&& decode, Expected&& expected) {
  constexpr luq::index unit = luq::detail::unit_columns<Codec>;
  const luq::index quads = (end - first + unit - 1) / unit * unit / 4;
  std::vector<std::uint8_t> operands(static_cast<std::size_t>(quads * luq::tile_rows * 4), std::uint8_t{0xa5});
  decode(operands.data());
  int wrong = 0;
  for (luq::index c = first; c < end; ++c) {
    for (luq::index r = 0; r < luq::tile_rows; ++r) {
      const luq::index place = ((c - first) / 4 * luq::tile_rows + r) * 4 + (c - first) % 4;
      wrong += operands[static_cast<std::size_t>(place)] != expected(r, c);
    }
  }
  return wrong;
}

/// Wrong operands of component i of columns first ... end-1.
template <class Arch, class Codec>
int count_wrong_components(luq::detail::operand_decoder<Arch, Codec>& decoder, const tile_of_codes<Codec>& tile, int i,
                           luq::index first, luq::index end) {
  int least = Codec::component(0, i);
  for (int q = 1; q < luq::code_count<Codec>(); ++q) {
    least = std::min(least, Codec::component(static_cast<luq::code>(q), i));
  }
  return count_wrong_operands<Codec>(
      first, end, [&](std::uint8_t* out) { decoder.component(i, first, end, out); },
      [&](luq::index r, luq::index c) { return Codec::component(tile.at(r, c), i) - least; });
}

/// Wrong levels of columns first ... end-1, where each row has four levels of its own.
template <class Arch, class Codec>
int count_wrong_levels(const tile_of_codes<Codec>& tile, luq::index first, luq::index end) {
  luq::detail::row_levels levels;
  const luq::counter_rng rng(99);
  for (std::size_t r = 0; r < levels.bytes.size(); ++r) levels.bytes[r] = static_cast<std::uint32_t>(rng.bits(r));
  luq::detail::operand_decoder<Arch, Codec> decoder(tile.planes(), tile.k);
  return count_wrong_operands<Codec>(
      first, end, [&](std::uint8_t* out) { decoder.levels_of_rows(levels, first, end, out); },
      [&](luq::index r, luq::index c) {
        return static_cast<std::uint8_t>(levels.bytes[static_cast<std::size_t>(r)] >> (8 * tile.at(r, c)));
      });
}

}  // namespace luq_test
