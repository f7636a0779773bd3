// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Codecs whose codes do not depend on each other; operand_decoder_sequence_test.cpp has the others, and
// operand_decoder_arch_test.cpp the instruction sets.
#include "luq/kernels/cpu/operands/operand_decoder.hpp"

#include <doctest/doctest.h>

#include "kernels/decoded_operands.hpp"
#include "quantizers/codec_list.hpp"

using luq_test::count_wrong_components;
using luq_test::count_wrong_levels;
using luq_test::tile_of_codes;

namespace {

constexpr luq::index most_columns = 200;

/// Calls check(tile) for a tile of random codes of each codec and each of some numbers of columns.
template <class Check>
void for_each_tile(Check&& check) {
  luq_test::for_each_memoryless_codec(luq::whole_row, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const auto source = luq_test::random_coded_matrix(codec, luq::tile_rows, most_columns, 1);
    for (luq::index k = 1; k <= most_columns; ++k) {
      CAPTURE(k);
      check(tile_of_codes(source, k));
    }
  });
}

}  // namespace

TEST_CASE("operands are the components of codes less the least, for every number of columns up to 200") {
  for_each_tile([]<class Codec>(const tile_of_codes<Codec>& tile) {
    luq::detail::operand_decoder<luq::default_arch, Codec> decoder(tile.planes(), tile.k);
    for (int i = 0; i < luq::component_count<Codec>; ++i) {
      CAPTURE(i);
      CHECK(count_wrong_components(decoder, tile, i, 0, tile.k) == 0);
    }
  });
}

TEST_CASE("stretches start at any unit and end anywhere") {
  for_each_tile([]<class Codec>(const tile_of_codes<Codec>& tile) {
    constexpr luq::index unit = luq::detail::unit_columns<Codec>;
    if (tile.k % 7 != 0) return;
    luq::detail::operand_decoder<luq::default_arch, Codec> decoder(tile.planes(), tile.k);
    for (luq::index first = 0; first < tile.k; first += 2 * unit) {
      for (luq::index end = first + 1; end <= tile.k; end += 11) {
        CAPTURE(first);
        CAPTURE(end);
        const int component = static_cast<int>(end % luq::component_count<Codec>);
        CHECK(count_wrong_components(decoder, tile, component, first, end) == 0);
      }
    }
  });
}

TEST_CASE("levels are those that each row gives its codes") {
  for_each_tile([]<class Codec>(const tile_of_codes<Codec>& tile) {
    if constexpr (luq::detail::has_two_bit_planes<Codec>) {
      constexpr luq::index unit = luq::detail::unit_columns<Codec>;
      CHECK(count_wrong_levels<luq::default_arch>(tile, 0, tile.k) == 0);
      if (tile.k > unit) CHECK(count_wrong_levels<luq::default_arch>(tile, unit, tile.k) == 0);
      if (tile.k > unit) CHECK(count_wrong_levels<luq::default_arch>(tile, 0, unit + 1) == 0);
    }
  });
}
