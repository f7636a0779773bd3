// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A coded matrix for measurements of time, which do not depend on what the codes mean: random codes under constant
// parameters, and where the codec has column classes, one column in eight salient.
#pragma once

#include "luq/codecs/any_packed_matrix.hpp"
#include "luq/core/random.hpp"

namespace luq_bench {

inline constexpr const char* codec_names[] = {
    "int2:g128", "int3:g128",  "int4:g128",       "int4:g128:sym",   "int8:g128",       "sign:g128", "ternary:g128",
    "lut2:g128", "lloyd4:g64", "trellis-r2:g512", "trellis-r3:g512", "trellis-r4:g512", "billm:g128"};

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
    group.values = luq::matrix::Ones(rows, Codec::parameter_count);
    if constexpr (Codec::column_classes > 1) {
      for (luq::index c = 0; c < columns; ++c) group.column_class.push_back(c % 8 == 3 ? 1 : 0);
    }
    first += columns;
  }
  return coded;
}

}  // namespace luq_bench
