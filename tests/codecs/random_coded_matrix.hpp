// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Coded matrices of any codec, for tests of what is done with codes and not of how they are chosen.
#pragma once

#include <algorithm>
#include <cstdint>

#include "luq/codecs/coded_matrix.hpp"
#include "luq/core/random.hpp"

namespace luq_test {

/// Codes, parameters and column classes that no fit would choose: all of them random, and legal.
template <class Codec>
[[nodiscard]] luq::coded_matrix<Codec> random_coded_matrix(const Codec& codec, luq::index rows, luq::index cols,
                                                           std::uint64_t seed) {
  const luq::counter_rng rng(seed);
  std::uint64_t position = 0;
  luq::coded_matrix<Codec> coded(codec, rows, cols);
  for (luq::index i = 0; i < coded.codes.size(); ++i) {
    coded.codes.data()[i] = static_cast<luq::code>(rng.below(position++, luq::levels<Codec>()));
  }
  if constexpr (luq::SequenceCodec<Codec>) {  // so far symbols
    const luq::index size = luq::group_size(codec, cols);
    for (luq::index r = 0; r < rows; ++r) {
      for (luq::index c = 0; c < cols; ++c) {
        coded.codes(r, c) = Codec::next(c % size == 0 ? luq::code{0} : coded.codes(r, c - 1), coded.codes(r, c));
      }
    }
  }
  const bool has_float_scales = luq::codec_name(codec).ends_with(":f32");
  const luq::index group_columns = luq::group_size(codec, cols);
  for (std::size_t g = 0; g < coded.groups.size(); ++g) {
    luq::matrix& values = coded.groups[g].values;
    values.resize(rows, luq::parameter_count<Codec>);
    for (luq::index i = 0; i < values.size(); ++i) {
      const auto value = static_cast<float>(rng.normal(position++));
      values.data()[i] = has_float_scales ? value : static_cast<float>(luq::half(value));
    }
    if constexpr (requires { codec.symmetric; }) {  // the second parameter of an integer is its zero point
      for (luq::index r = 0; r < rows; ++r) {
        const auto zero = codec.symmetric ? luq::levels<Codec>() / 2 : rng.below(position++, luq::levels<Codec>());
        values(r, 1) = static_cast<float>(zero);
      }
    }
    if constexpr (luq::column_class_count<Codec> > 1) {
      const luq::index first = static_cast<luq::index>(g) * group_columns;
      for (luq::index c = first; c < std::min(first + group_columns, cols); ++c) {
        coded.groups[g].column_class.push_back(rng.below(position++, 4) == 0 ? 1 : 0);
      }
    }
  }
  return coded;
}

}  // namespace luq_test
