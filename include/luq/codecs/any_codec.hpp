// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The closed set of codecs, for callers that choose one at run time: policies, file formats, engines. The text form
// of a codec is its name(): family, group, options, such as "int4:g128:sym:searched", "sign:g128" or "ternary:g0"
// (one group for the whole row).
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "luq/codecs/billm_codec.hpp"
#include "luq/codecs/binary_coding_codec.hpp"
#include "luq/codecs/int_codec.hpp"
#include "luq/codecs/lloyd_codec.hpp"
#include "luq/codecs/sign_codec.hpp"
#include "luq/codecs/ternary_codec.hpp"
#include "luq/codecs/trellis_codec.hpp"
#include "luq/core/compiled.hpp"
#include "luq/core/index.hpp"

namespace luq {

// clang-format off: CMake reads the list, too, a codec a line with what it is in luq::compiled:
//
//   planes    sums of symbols of planes (cuda::PlaneCodec): products on GPUs, and all that a table has
//   table     levels of a table (MemorylessCodec): feedback of errors between columns, and all that a sequence has
//   sequence  codes that depend on each other (SequenceCodec): storage, products, the other quantizers

/// The catalogue of codecs; nothing else lists them all.
using any_codec = std::variant<
    int_codec<2>,         // planes
    int_codec<3>,         // planes
    int_codec<4>,         // planes
    int_codec<8>,         // planes
    sign_codec,           // planes
    ternary_codec,        // planes
    binary_coding_codec,  // planes
    lloyd_codec<2>,       // table
    lloyd_codec<3>,       // table
    lloyd_codec<4>,       // table
    trellis_codec<2>,     // sequence
    trellis_codec<3>,     // sequence
    trellis_codec<4>,     // sequence
    trellis_codec<8>,     // sequence
    trellis_codec<16>,    // sequence
    billm_codec           // planes
    >;
// clang-format on

/// What names of codecs begin with, one for each of the catalogue, in its order; each is a name, too.
[[nodiscard]] std::vector<std::string_view> codec_families();

/// The text form of a codec; parse_codec() reads it back.
[[nodiscard]] std::string codec_name(const any_codec& codec);

/// How a matrix is stored, "TRANSFORM/CODEC", or its codec's name alone where `transform` is empty.
[[nodiscard]] std::string stored_name(std::string_view transform, const any_codec& codec);

/// Reads what codec_name() writes. The group may be left out and is then 128.
/// @throws luq::error invalid_argument for any other text
[[nodiscard]] any_codec parse_codec(std::string_view text);

/// What a file says of the stored form of a codec.
struct codec_format {
  std::string_view family;
  int version;
};

[[nodiscard]] codec_format format_of(const any_codec& codec);

/// Exact bytes of a packed [rows x cols] matrix.
[[nodiscard]] index packed_bytes(const any_codec& codec, index rows, index cols);

/// Bits a weight occupies in a packed [rows x cols] matrix, everything counted.
[[nodiscard]] double bits_per_weight(const any_codec& codec, index rows, index cols);

/// The bits a weight that the literature gives a codec its name for, scales and flags not counted. To be printed
/// beside true bits, never instead of them.
[[nodiscard]] double nominal_bits(const any_codec& codec);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/codecs/impl/any_codec.hpp"
#endif
