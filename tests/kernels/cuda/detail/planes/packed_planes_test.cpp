// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Packed matrices as a GPU has them: every code is found where kernels look for it, and every parameter.
#include <doctest/doctest.h>

#include <luq/codecs/binary_coding_codec.hpp>
#include <luq/codecs/int_codec.hpp>
#include <luq/codecs/sign_codec.hpp>
#include <luq/kernels/cuda/detail/planes/padded_tiles.cuh>

#include "codecs/base_five.hpp"
#include "codecs/random_coded_matrix.hpp"
#include "kernels/cuda/plane_codec_list.hpp"
#include "luq/codecs/templates/coded_matrix.hpp"
#include "luq/codecs/templates/packed_matrix.hpp"

namespace {

/// The code of a row and a stored column of a group, from words and slots.
template <class Codec>
int code_of(const std::byte* tile, const luq::cuda::detail::group_shape<Codec>& shape, int row, int place) {
  int code = 0;
  int weight = 1;
  [&]<std::size_t... Plane>(std::index_sequence<Plane...>) {
    (
        [&] {
          constexpr int radix = Codec::planes[Plane];
          const luq::cuda::detail::plane_units<radix> units{shape.columns};
          for (int unit = 0; unit < shape.planes[Plane].units; ++unit) {
            for (int slot = 0; slot < luq::cuda::detail::plane_units<radix>::symbols; ++slot) {
              for (int byte = 0; byte < 4; ++byte) {
                if (units.column(unit, slot, byte) != place) continue;
                const auto word = luq::cuda::detail::load<std::uint32_t>(tile + shape.planes[Plane].offset +
                                                                         (unit * luq::tile_rows + row) * 4);
                const std::uint32_t symbols = luq::cuda::detail::symbols_of_slot<radix>(word, slot);
                code += weight * static_cast<int>((symbols >> (8 * byte)) & 0xffu);
              }
            }
          }
          weight *= radix;
        }(),
        ...);
  }(std::make_index_sequence<Codec::planes.size()>());
  return code;
}

template <class Codec>
void check_planes(const Codec& codec, luq::index rows, luq::index cols) {
  CAPTURE(luq::codec_name(codec));
  const auto coded = luq_test::random_coded_matrix(codec, rows, cols, 11);
  const luq::packed_matrix<Codec> W(coded);
  const auto planes = luq::cuda::detail::describe_planes(W);
  const auto tiles = luq::cuda::detail::padded_tiles(W, planes);
  const auto order = luq::cuda::detail::order_of_columns(W);
  CHECK(planes.tile_bytes % 128 == 0);
  luq::index wrong_codes = 0;
  luq::index wrong_parameters = 0;
  for (luq::index r = 0; r < rows; ++r) {
    const auto row = static_cast<int>(r % luq::tile_rows);
    for (int g = 0; g < planes.groups; ++g) {
      const auto shape = planes.shape(g);
      const std::byte* const tile =
          tiles.data() + r / luq::tile_rows * planes.row_tile_bytes + g * static_cast<luq::index>(planes.tile_bytes);
      for (int place = 0; place < shape.columns; ++place) {
        const luq::index stored = static_cast<luq::index>(g) * planes.group + place;
        const luq::index column = order.columns.empty() ? stored : order.columns[static_cast<std::size_t>(stored)];
        if (code_of<Codec>(tile, shape, row, place) != coded.codes(r, column)) ++wrong_codes;
      }
      const std::byte* const half =
          tile + shape.parameters + row / luq::cuda::detail::rows_of_warp * planes.parameter_bytes;
      const luq::cuda::detail::lane_parameters<Codec> of_four(codec, half,
                                                              row % luq::cuda::detail::rows_of_warp / 4 * 4);
      for (int p = 0; p < luq::parameter_count<Codec>; ++p) {
        if (of_four.values[row % 4][p] != coded.groups[static_cast<std::size_t>(g)].row(r)[p]) ++wrong_parameters;
      }
    }
  }
  CHECK(wrong_codes == 0);
  CHECK(wrong_parameters == 0);
}

}  // namespace

TEST_CASE("places of columns in words are found both ways") {
  const auto check_units = []<int Radix>(std::integral_constant<int, Radix>) {
    using units_type = luq::cuda::detail::plane_units<Radix>;
    for (int columns = 1; columns <= 3 * units_type::columns_of_word; ++columns) {
      const units_type units{columns};
      for (int column = 0; column < columns; ++column) {
        const auto at = units.place_of(column);
        REQUIRE(at.unit < units.count());
        REQUIRE(at.slot < units_type::symbols);
        REQUIRE(units.column(at.unit, at.slot, at.byte) == column);
      }
    }
  };
  check_units(std::integral_constant<int, 2>());
  check_units(std::integral_constant<int, 3>());
  check_units(std::integral_constant<int, 4>());
  check_units(std::integral_constant<int, 5>());
  check_units(std::integral_constant<int, 16>());
  check_units(std::integral_constant<int, 256>());
}

TEST_CASE("codes and parameters are where kernels look for them") {
  luq_test::for_each_plane_codec(33, [](const auto& codec) { check_planes(codec, 70, 203); });
  luq_test::for_each_plane_codec(128, [](const auto& codec) { check_planes(codec, 65, 391); });
  check_planes(luq::sign_codec{.group = 128}, 64, 256);
  check_planes(luq::basic_sign_codec<float>{.group = 40}, 70, 203);
  check_planes(luq::int_codec<3>{.group = 128}, 129, 300);
  check_planes(luq::int_codec<4>{.group = 128, .symmetric = true}, 40, 391);
  check_planes(luq::int_codec<8>{.group = 31}, 33, 100);
  check_planes(luq::binary_coding_codec{.group = 127}, 65, 391);
  check_planes(luq_test::base_five_codec{.group = 128}, 65, 391);
}
