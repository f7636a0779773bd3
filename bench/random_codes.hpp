// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Coded and packed matrices for measurements of time, which do not depend on what the codes mean: random codes under
// constant parameters, and where the codec has column classes, 20 of 128 columns salient: about as many as BiLLM's
// search finds.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include "luq/codecs/any_packed_matrix.hpp"
#include "luq/core/random.hpp"

namespace luq_bench {

inline constexpr const char* codec_names[] = {
    "int8:g128",  "int4:g128:sym", "int4:g128",    "int3:g128",   "int2:g128",      "bcq2:g128",   "lloyd4:g64",
    "lloyd3:g64", "billm:g128",    "ternary:g128", "trellis2:g0", "trellis1.58:g0", "trellis1:g0", "sign:g128"};

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
