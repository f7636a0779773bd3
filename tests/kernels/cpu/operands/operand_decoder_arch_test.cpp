// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// operand_decoder on every instruction set, for codecs that take each of its ways.
#include <doctest/doctest.h>

#include "kernels/arch_list.hpp"
#include "kernels/decoded_operands.hpp"
#include "luq/codecs/billm_codec.hpp"
#include "luq/codecs/int_codec.hpp"
#include "luq/codecs/lloyd_codec.hpp"
#include "luq/codecs/ternary_codec.hpp"
#include "luq/codecs/trellis_codec.hpp"

using luq_test::tile_of_codes;

namespace {

template <class Arch, class Codec>
void check_codec(const Codec& codec) {
  CAPTURE(luq::codec_name(codec));
  const auto source = luq_test::random_coded_matrix(codec, luq::tile_rows, 110, 1);
  for (luq::index k = 1; k <= 110; k += k < 45 ? 1 : 13) {
    CAPTURE(k);
    const tile_of_codes tile(source, k);
    luq::detail::operand_decoder<Arch, Codec> decoder(tile.planes(), k);
    for (int i = 0; i < luq::component_count<Codec>; ++i) {
      CAPTURE(i);
      CHECK(luq_test::count_wrong_components(decoder, tile, i, 0, k) == 0);
    }
    if constexpr (luq::detail::has_two_bit_planes<Codec>) {
      CHECK(luq_test::count_wrong_levels<Arch>(tile, 0, k) == 0);
    }
  }
}

}  // namespace

TEST_CASE("operands on every instruction set") {
  luq_test::for_each_arch([](auto arch) {
    using Arch = decltype(arch);
    check_codec<Arch>(luq::int_codec<3>{.group = luq::whole_row});
    check_codec<Arch>(luq::int_codec<8>{.group = luq::whole_row});
    check_codec<Arch>(luq::lloyd_codec<4>{.group = luq::whole_row});
    check_codec<Arch>(luq::ternary_codec{.group = luq::whole_row});
    check_codec<Arch>(luq::billm_codec{.group = luq::whole_row});
    check_codec<Arch>(luq::trellis_codec<2>{.group = luq::whole_row});
    check_codec<Arch>(luq::trellis_codec<3>{.group = luq::whole_row});
  });
}
