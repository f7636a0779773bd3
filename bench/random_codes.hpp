// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Coded and packed matrices for measurements of time, which do not depend on what the codes mean: random codes under
// constant parameters, and where the codec has column classes, 20 of 128 columns salient: about as many as BiLLM's
// search finds.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "luq/codecs/any_packed_matrix.hpp"
#include "luq/core/random.hpp"

namespace luq_bench {

/// Names of all codecs with their own groups, those of the most bits first: sequences in one group for the row, and
/// integers of 4 bits without zero points, too.
inline std::vector<std::string> codec_names() {
  std::vector<luq::any_codec> codecs{luq::int_codec<4>{.symmetric = true}};
  const auto add = [&]<class Codec>(Codec codec) {
    if constexpr (luq::SequenceCodec<Codec>) codec.group = luq::whole_row;
    codecs.emplace_back(codec);
  };
  [&]<class... Codec>(std::type_identity<std::variant<Codec...>>) {
    (add(Codec{}), ...);
  }(std::type_identity<luq::any_codec>());
  std::stable_sort(codecs.begin(), codecs.end(), [](const luq::any_codec& a, const luq::any_codec& b) {
    return luq::nominal_bits(a) > luq::nominal_bits(b);
  });
  std::vector<std::string> names;
  for (const luq::any_codec& codec : codecs) names.push_back(luq::codec_name(codec));
  return names;
}

template <class Codec>
luq::coded_matrix<Codec> random_codes(const Codec& codec, luq::index rows, luq::index cols) {
  luq::coded_matrix<Codec> coded(codec, rows, cols);
  const luq::counter_rng rng(1);
  for (luq::index i = 0; i < coded.codes.size(); ++i) {
    coded.codes.data()[i] = static_cast<luq::code>(
        rng.below(static_cast<std::uint64_t>(i), static_cast<std::uint64_t>(luq::levels<Codec>())));
  }
  if constexpr (luq::SequenceCodec<Codec>) {  // so far symbols
    for (luq::index i = 0; i < coded.codes.size(); ++i) {
      const bool starts_group = i % cols % luq::group_size(codec, cols) == 0;
      luq::code* q = coded.codes.data() + i;
      *q = Codec::next(starts_group ? luq::code{0} : q[-1], *q);
    }
  }
  luq::index first = 0;
  for (luq::group_parameters& group : coded.groups) {
    const luq::index columns = std::min(luq::group_size(codec, cols), cols - first);
    group.values = luq::matrix::Ones(rows, luq::parameter_count<Codec>);
    if constexpr (luq::column_class_count<Codec> > 1) {
      for (luq::index c = 0; c < columns; ++c) group.column_class.push_back(c * 20 % 128 < 20 ? 1 : 0);
    }
    first += columns;
  }
  return coded;
}

/// A packed [rows x cols] matrix with the codes of one random row tile in all row tiles: coding and packing every one
/// anew would take longer than the measurements.
/// @param rows  a multiple of luq::tile_rows
template <class Codec>
luq::packed_matrix<Codec> random_packed_matrix(const Codec& codec, luq::index rows, luq::index cols) {
  LUQ_ASSERT(rows % luq::tile_rows == 0);
  const luq::packed_matrix<Codec> tile(random_codes(codec, luq::tile_rows, cols));
  const luq::tile_layout<Codec> layout(codec, rows, cols);
  luq::aligned_buffer<std::byte> bytes(static_cast<std::size_t>(layout.bytes()));
  const auto tile_end = tile.bytes().begin() + tile.layout().flags_offset();
  for (luq::index t = 0; t < layout.row_tiles(); ++t) {
    std::copy(tile.bytes().begin(), tile_end, bytes.begin() + layout.tile_offset(t, 0));
  }
  std::copy(tile_end, tile.bytes().end(), bytes.begin() + layout.flags_offset());
  return luq::packed_matrix<Codec>(codec, rows, cols, std::move(bytes));
}

}  // namespace luq_bench
