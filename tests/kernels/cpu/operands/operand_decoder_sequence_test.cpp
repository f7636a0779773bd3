// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Operands of codes that remember: each stretch goes on from the codes in which the last one ended.
#include <doctest/doctest.h>

#include "kernels/decoded_operands.hpp"
#include "luq/codecs/trellis_codec.hpp"

using luq_test::count_wrong_components;
using luq_test::tile_of_codes;

namespace {

constexpr luq::index most_columns_of_sequence = 200;

/// Calls check(codec) for the trellis of each radix.
template <class Check>
void for_each_trellis(Check&& check) {
  check(luq::trellis_codec<2>{.group = luq::whole_row});
  check(luq::trellis_codec<3>{.group = luq::whole_row});
  check(luq::trellis_codec<4>{.group = luq::whole_row});
  check(luq::trellis_codec<8>{.group = luq::whole_row});
  check(luq::trellis_codec<16>{.group = luq::whole_row});
}

}  // namespace

TEST_CASE("operands in stretches of one to three units, for every number of columns up to 200") {
  for_each_trellis([](const auto& codec) {
    using Codec = std::decay_t<decltype(codec)>;
    CAPTURE(luq::codec_name(codec));
    const auto source = luq_test::random_coded_matrix(codec, luq::tile_rows, most_columns_of_sequence, 1);
    for (luq::index k = 1; k <= most_columns_of_sequence; ++k) {
      CAPTURE(k);
      const tile_of_codes tile(source, k);
      const luq::index stretch = (k % 3 + 1) * luq::detail::unit_columns<Codec>;
      luq::detail::operand_decoder<luq::default_arch, Codec> decoder(tile.planes(), k);
      int wrong = 0;
      for (luq::index first = 0; first < k; first += stretch) {
        wrong += count_wrong_components(decoder, tile, 0, first, std::min(first + stretch, k));
      }
      CHECK(wrong == 0);
    }
  });
}

TEST_CASE("every code is met and has its operand") {
  for_each_trellis([](const auto& codec) {
    using Codec = std::decay_t<decltype(codec)>;
    CAPTURE(luq::codec_name(codec));
    constexpr luq::index sequences = Codec::code_count / 64 + 1;  // codes of a row, one after another as its symbols
    constexpr luq::index k = sequences * Codec::window;
    luq::coded_matrix<Codec> source(codec, 64, k);
    source.groups[0].values = luq::matrix::Ones(64, 1);
    std::vector<bool> met(std::size_t{Codec::code_count}, false);
    for (luq::index r = 0; r < 64; ++r) {
      luq::code q = 0;
      for (luq::index c = 0; c < k; ++c) {
        luq::index symbols = (r * sequences + c / Codec::window) % Codec::code_count;
        for (luq::index i = c % Codec::window + 1; i < Codec::window; ++i) symbols /= luq::levels<Codec>();
        q = Codec::next(q, static_cast<int>(symbols % luq::levels<Codec>()));
        source.codes(r, c) = q;
        met[q] = true;
      }
    }
    CHECK(std::count(met.begin(), met.end(), true) == Codec::code_count);
    const tile_of_codes tile(source, k);
    luq::detail::operand_decoder<luq::default_arch, Codec> decoder(tile.planes(), k);
    CHECK(count_wrong_components(decoder, tile, 0, 0, k) == 0);
  });
}
