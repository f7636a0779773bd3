// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The stages of products as pointers, for each codec of the closed set: what a translation unit that is compiled for
// one instruction set gives to the rest of the program, and all that it gives.
#pragma once

#include <variant>

#include "luq/codecs/any_codec.hpp"
#include "luq/kernels/cpu/stages/product_stages.hpp"

namespace luq::detail {

/// The stages for one codec; see product_stages.hpp.
template <WeightCodec Codec>
struct codec_stages {
  bool has_tables;
  void (*quantize)(const float* X, index stride, index first, index end, const activation_view& result);
  void (*multiply_integers)(const packed_view<Codec>& W, const activation_view& X, const product_output& Y,
                            std::byte* scratch, index first, index end);
  void (*multiply_floats)(const packed_view<Codec>& W, const float_activations& X, const product_output& Y,
                          std::byte* scratch, index first, index end);
};

/// The stages for each codec of a std::variant, which are bases: table.codec_stages<Codec>::quantize.
template <class Codecs>
struct codec_stage_table;
template <class... Codec>
struct codec_stage_table<std::variant<Codec...>> : codec_stages<Codec>... {};

struct stage_table : codec_stage_table<any_codec> {};

/// The table that the including translation unit compiles for `Arch`.
template <class Arch, class... Codec>
[[nodiscard]] consteval codec_stage_table<std::variant<Codec...>> make_stage_table(
    std::type_identity<std::variant<Codec...>>) {
  return {codec_stages<Codec>{integer_lanes<Arch>::has_table_of_64, &quantize_blocks<Arch>,
                              &multiply_integer_tiles<Arch, Codec>, &multiply_float_tiles<Arch, Codec>}...};
}

}  // namespace luq::detail
