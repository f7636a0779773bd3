// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/kernels/cpu/planes/tile_planes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "codecs/random_coded_matrix.hpp"
#include "luq/codecs/billm_codec.hpp"
#include "luq/codecs/detail/component_form.hpp"
#include "luq/codecs/int_codec.hpp"
#include "luq/codecs/packed_matrix.hpp"
#include "luq/codecs/ternary_codec.hpp"
#include "luq/codecs/trellis_codec.hpp"
#include "luq/kernels/instruction_set.hpp"

using luq::detail::plane_view;

namespace {

/// Codecs with every kind of planes.
template <class Check>
void for_each_kind_of_planes(Check&& check) {
  check(luq::int_codec<3>{.group = luq::whole_row});
  check(luq::int_codec<4>{.group = luq::whole_row});
  check(luq::int_codec<8>{.group = luq::whole_row});
  check(luq::ternary_codec{.group = luq::whole_row});
  check(luq::billm_codec{.group = luq::whole_row});
  check(luq::trellis_codec<8>{.group = luq::whole_row});
}

/// Symbol of stored column `place` of row r, read as tile_layout.hpp draws it.
template <int Radix>
int symbol_in(const plane_view& plane, luq::index r, luq::index place) {
  const luq::index symbols = luq::radix_traits<Radix>::symbols_per_byte;
  const luq::index columns_of_word = 4 * symbols;
  if (const luq::index word = place / columns_of_word; word < plane.words) {
    const luq::index within = place % columns_of_word;
    const std::byte byte = plane.bytes[(word * 64 + r) * 4 + within % 4];
    return luq::radix_traits<Radix>::extract(std::to_integer<std::uint8_t>(byte), within / 4);
  }
  const luq::index within = place - plane.words * columns_of_word;
  const std::byte byte = plane.tail()[r * plane.tail_bytes + within % plane.tail_bytes];
  return luq::radix_traits<Radix>::extract(std::to_integer<std::uint8_t>(byte), within / plane.tail_bytes);
}

/// The codes of the only tile of a matrix of one group, in memory of just their size.
template <class Codec>
std::vector<std::byte> codes_of_tile(const luq::coded_matrix<Codec>& coded) {
  const luq::packed_matrix<Codec> packed = luq::pack(coded);
  const luq::index bytes = luq::tile_layout<Codec>::code_bytes(coded.rows(), coded.cols());
  return {packed.bytes().begin(), packed.bytes().begin() + bytes};
}

/// The same with rows of symbols 0 up to 64.
template <class Codec>
luq::coded_matrix<Codec> with_rows_of_zeros(const luq::coded_matrix<Codec>& coded) {
  luq::coded_matrix<Codec> result(coded.codec, 64, coded.cols());
  result.codes.topRows(coded.rows()) = coded.codes;
  for (std::size_t g = 0; g < coded.groups.size(); ++g) {
    result.groups[g].values = luq::matrix::Zero(64, luq::parameter_count<Codec>);
    result.groups[g].column_class = coded.groups[g].column_class;
  }
  return result;
}

}  // namespace

TEST_CASE("planes lie one after the other, words before tails") {
  const luq::index k = 75;  // 19 bytes of radix 4 and 10 of radix 2
  const std::vector<std::byte> codes(static_cast<std::size_t>(64 * (19 + 10)));
  const luq::detail::tile_planes<luq::int_codec<3>> tile(codes.data(), k);
  CHECK(tile.planes[0].bytes == codes.data());
  CHECK(tile.planes[0].words == 4);
  CHECK(tile.planes[0].tail_bytes == 3);
  CHECK(tile.planes[0].tail() == codes.data() + 4 * 4 * 64);
  CHECK(tile.planes[1].bytes == codes.data() + 19 * 64);
  CHECK(tile.planes[1].words == 2);
  CHECK(tile.planes[1].tail_bytes == 2);
  CHECK(tile.planes[1].tail() == codes.data() + (19 + 8) * 64);
}

TEST_CASE("views hold the symbols of every code, for every number of columns up to 70") {
  for_each_kind_of_planes([](const auto& codec) {
    using Codec = std::decay_t<decltype(codec)>;
    CAPTURE(luq::codec_name(codec));
    for (luq::index k = 1; k <= 70; ++k) {
      CAPTURE(k);
      const auto coded = luq_test::random_coded_matrix(codec, 64, k, static_cast<std::uint64_t>(k));
      const luq::packed_matrix<Codec> packed = luq::pack(coded);
      const std::vector<std::byte> codes = codes_of_tile(coded);
      const luq::detail::tile_planes<Codec> tile(codes.data(), k);
      int wrong = 0;
      for (luq::index r = 0; r < 64; ++r) {
        for (luq::index place = 0; place < k; ++place) {
          const int symbols = packed.stored_code(0, 0, r, place) % luq::levels<Codec>();
          luq::detail::unrolled<luq::index{Codec::planes.size()}>([&](auto p) {
            const int found = symbol_in<static_cast<int>(Codec::planes[p()])>(tile.planes[p()], r, place);
            wrong += found != luq::detail::symbol_of<Codec>(symbols, p());
          });
        }
      }
      CHECK(wrong == 0);
    }
  });
}

TEST_CASE("a padded tile is that of 64 rows whose last ones have symbols 0") {
  for_each_kind_of_planes([](const auto& codec) {
    using Codec = std::decay_t<decltype(codec)>;
    CAPTURE(luq::codec_name(codec));
    for (const luq::index h : {1, 2, 31, 63}) {
      for (luq::index k = 1; k <= 70; ++k) {
        CAPTURE(h);
        CAPTURE(k);
        const auto coded = luq_test::random_coded_matrix(codec, h, k, static_cast<std::uint64_t>(100 * h + k));
        const std::vector<std::byte> expected = codes_of_tile(with_rows_of_zeros(coded));
        const std::vector<std::byte> codes = codes_of_tile(coded);
        std::vector<std::byte> padded(expected.size(), std::byte{0xa5});
        luq::detail::pad_codes<luq::default_arch, Codec>(codes.data(), h, k, padded.data());
        CHECK(padded == expected);
      }
    }
  });
}
