// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/kernels/cpu/operands/tile_decoder.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "kernels/packed_product.hpp"

namespace {

constexpr luq::code untouched = 0xa5;

/// Codes of a tile, decoded into a buffer that held other codes before and has one column too many.
template <class Codec>
std::vector<luq::code> decoded_tile(const luq::packed_matrix<Codec>& packed, luq::index row_tile, luq::index group) {
  const luq::index h = packed.layout().rows_of(row_tile);
  const luq::index k = packed.layout().columns_of(group);
  std::vector<luq::code> codes(static_cast<std::size_t>((k + 1) * h), untouched);
  luq::detail::decode_tile_codes<luq::default_arch, Codec>(packed.tile(row_tile, group), h, k, codes.data());
  return codes;
}

/// Codes of a tile that differ from what the matrix says is stored, or from what was packed.
template <class Codec>
int count_wrong_codes(const luq::packed_matrix<Codec>& packed, const luq::coded_matrix<Codec>& source,
                      luq::index row_tile, luq::index group) {
  const luq::index h = packed.layout().rows_of(row_tile);
  const luq::index k = packed.layout().columns_of(group);
  const std::vector<luq::code> codes = decoded_tile(packed, row_tile, group);
  const auto order = luq_test::stored_order(source.groups[static_cast<std::size_t>(group)].column_class, k);
  int wrong = 0;
  for (luq::index place = 0; place < k; ++place) {
    const luq::index column = packed.layout().first_column(group) + order[static_cast<std::size_t>(place)];
    for (luq::index r = 0; r < h; ++r) {
      const luq::code found = codes[static_cast<std::size_t>(place * h + r)];
      wrong += found != packed.stored_code(row_tile, group, r, place);
      wrong += found != source.codes(row_tile * luq::tile_rows + r, column);
    }
  }
  for (luq::index r = 0; r < h; ++r) wrong += codes[static_cast<std::size_t>(k * h + r)] != untouched;
  return wrong;
}

}  // namespace

TEST_CASE("a decoded tile holds the stored codes, for every codec, width and number of rows") {
  luq_test::for_each_codec(luq::whole_row, [](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    for (const luq::index h : {1, 2, 63, 64}) {
      for (luq::index k = 1; k <= 70; ++k) {
        CAPTURE(h);
        CAPTURE(k);
        const auto source = luq_test::random_coded_matrix(codec, h, k, static_cast<std::uint64_t>(k));
        CHECK(count_wrong_codes(luq::pack(source), source, 0, 0) == 0);
      }
    }
  });
}

TEST_CASE("tiles in the middle and at the ragged ends of a matrix") {
  luq_test::for_each_codec(23, [](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const auto source = luq_test::random_coded_matrix(codec, 130, 61, 1);
    const auto packed = luq::pack(source);
    for (luq::index t = 0; t < packed.layout().row_tiles(); ++t) {
      for (luq::index g = 0; g < packed.layout().groups(); ++g) {
        CAPTURE(t);
        CAPTURE(g);
        CHECK(count_wrong_codes(packed, source, t, g) == 0);
      }
    }
  });
}

TEST_CASE("nothing is written beyond the last column, whatever the unused slots of a byte hold") {
  luq_test::for_each_codec(luq::whole_row, [](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    for (luq::index k = 1; k <= 40; ++k) {
      CAPTURE(k);
      constexpr luq::index h = 3;
      const std::vector<std::byte> tile(static_cast<std::size_t>(luq::packed_bytes(codec, h, k)), std::byte{0xff});
      std::vector<luq::code> codes(static_cast<std::size_t>((k + 1) * h), untouched);
      luq::detail::decode_tile_codes<luq::default_arch, std::decay_t<decltype(codec)>>(tile, h, k, codes.data());
      for (luq::index r = 0; r < h; ++r) CHECK(codes[static_cast<std::size_t>(k * h + r)] == untouched);
    }
  });
}
