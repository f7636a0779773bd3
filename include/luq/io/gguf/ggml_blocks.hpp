// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Packed matrices as blocks of ggml and back, without loss: every weight is the same float on either side. Blocks of a
// row follow one another, rows too; d is an fp16 scale, little-endian (ggml-common.h and ggml-quants.c of ggml).
//
//   q1_0  128 weights, 18 bytes | d | 16 bytes |   weight j is bit j % 8 of byte j / 8;  w = bit ? d : -d
//   q4_0   32 weights, 18 bytes | d | 16 bytes |   weight j is the low nibble of byte j, weight j + 16 the high one;
//                                                  w = (nibble - 8) d
//   q8_0   32 weights, 34 bytes | d | 32 bytes |   weight j is byte j, signed;  w = byte * d
//   tq2_0 256 weights, 66 bytes | 64 bytes | d |   weight 128 k + 32 n + m is bits 2 n, 2 n + 1 of byte 32 k + m;
//                                                  w = (bits - 1) d
//
// sign_codec becomes q1_0, ternary_codec tq2_0, symmetric int_codec<4> q4_0 and symmetric int_codec<8> q8_0, where
// columns and groups are multiples of the block; a scale is repeated in all blocks of its group, so groups of 128 at 4
// bits grow from 4.125 to 4.5 bits a weight.
//
// Asymmetric groups have no lossless form. Those of q4_1, w = q d + m, come near to 4 bits, but m = -zero * scale has 4
// bits more than scale and is rounded to fp16, and w to float after one operation more. Codecs with other levels than
// ggml's (3 bits, BiLLM, trellises, look-up tables) have none either. tq1_0 would hold ternary codes in 1.6875 bits a
// weight, in another order.
//
// Not a permutation: converters of some architectures (llama) reorder rows of the query and key projections for their
// rotary embedding, and whoever writes a model for them must do the same.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "luq/codecs/any_codec.hpp"
#include "luq/codecs/any_packed_matrix.hpp"
#include "luq/codecs/packed_matrix.hpp"
#include "luq/core/assert.hpp"
#include "luq/core/error.hpp"
#include "luq/core/half.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/io/gguf/detail/ggml_block_layout.hpp"
#include "luq/io/gguf/ggml_type.hpp"

namespace luq {

/// Why matrices of a codec and so many columns cannot be blocks of ggml without loss, in one line; empty if they can.
/// For whoever makes a plan that is to be exported.
[[nodiscard]] std::string ggml_blocks_fault(const any_codec& codec, index cols);

/// The type whose blocks hold matrices of a codec and so many columns without loss.
/// @throws luq::error unsupported with the reason if there is none
[[nodiscard]] ggml_type ggml_blocks_type(const any_codec& codec, index cols);

/// The blocks of a matrix, row by row: the data of a tensor of type ggml_blocks_type() and the same shape.
/// @throws luq::error unsupported with the reason if there is no lossless form, or for transformed inputs
template <detail::HasGgmlBlocks Codec>
[[nodiscard]] std::vector<std::byte> to_ggml_blocks(const packed_matrix<Codec>& packed) {
  using blocks = detail::ggml_blocks<Codec>;
  detail::require_ggml_blocks(packed.codec(), packed.cols());
  require_no_transform(packed.transform(), "blocks of ggml");
  const coded_matrix<Codec> coded = packed.unpack();
  const index group = group_size(packed.codec(), packed.cols());
  std::vector<std::byte> result;
  result.reserve(
      static_cast<std::size_t>(packed.rows() * packed.cols() / blocks::weights * detail::ggml_block_bytes<Codec>));
  for (index r = 0; r < packed.rows(); ++r) {
    for (index c = 0; c < packed.cols(); c += blocks::weights) {
      const half scale(coded.groups[static_cast<std::size_t>(c / group)].values(r, 0));
      std::array<std::uint8_t, static_cast<std::size_t>(detail::ggml_block_bytes<Codec>)> bytes{};
      blocks::encode(&coded.codes(r, c), bytes.data() + (blocks::scale_at == 0 ? 2 : 0));
      bytes[blocks::scale_at] = static_cast<std::uint8_t>(scale.bits & 0xffu);
      bytes[blocks::scale_at + 1] = static_cast<std::uint8_t>(scale.bits >> 8);
      for (const std::uint8_t byte : bytes) result.push_back(static_cast<std::byte>(byte));
    }
  }
  return result;
}

/// As above, of a codec known at run time.
[[nodiscard]] std::vector<std::byte> to_ggml_blocks(const any_packed_matrix& packed);

/// The matrix that blocks hold. Its weights are the same floats; a negative scale of q1_0 or tq2_0 becomes a positive
/// one with all signs inverted, for their codecs have none.
/// @param codec  sign_codec for q1_0, ternary_codec for tq2_0, symmetric int_codec<4> for q4_0, symmetric int_codec<8>
///   for q8_0. Its groups may be longer than blocks; all blocks of a group must then have the same scale, as
///   to_ggml_blocks() leaves them
/// @param bytes  row by row
/// @throws luq::error unsupported if codec and columns have no form in blocks, or the blocks of a group have several
///   scales; shape_mismatch if the number of bytes is not that of the shape; corrupt_file for a scale that is not
///   finite
template <detail::HasGgmlBlocks Codec>
[[nodiscard]] packed_matrix<Codec> from_ggml_blocks(const Codec& codec, std::span<const std::byte> bytes, index rows,
                                                    index cols) {
  LUQ_ASSERT(rows >= 0 && cols >= 0);
  using blocks = detail::ggml_blocks<Codec>;
  constexpr index block_bytes = detail::ggml_block_bytes<Codec>;
  detail::require_ggml_blocks(codec, cols);
  const std::string_view type = facts_of(blocks::type)->name;
  const index blocks_of_row = cols / blocks::weights;
  if (static_cast<index>(bytes.size()) % block_bytes != 0 ||
      static_cast<index>(bytes.size()) / block_bytes != rows * blocks_of_row) {
    fail(errc::shape_mismatch, "ggml blocks: expected ", rows * blocks_of_row, " blocks of ", block_bytes,
         " bytes for ", type, ", ", rows, " x ", cols, ", got ", bytes.size(), " bytes");
  }
  coded_matrix<Codec> coded(codec, rows, cols);
  for (group_parameters& parameters : coded.groups) parameters.values.resize(rows, parameter_count<Codec>);
  const index group = group_size(codec, cols);
  const auto* block = reinterpret_cast<const std::uint8_t*>(bytes.data());
  for (index r = 0; r < rows; ++r) {
    for (index c = 0; c < cols; c += blocks::weights, block += block_bytes) {
      const std::uint8_t* const d = block + blocks::scale_at;
      const half stored = half::from_bits(static_cast<std::uint16_t>(d[0] | d[1] << 8));
      const bool is_negative = (stored.bits & 0x8000u) != 0;
      float scale = stored;
      if (!is_finite(scale)) {
        fail(errc::corrupt_file, "ggml blocks: ", type, ": the scale of row ", r, ", columns from ", c,
             " is not finite");
      }
      code* const codes = &coded.codes(r, c);
      blocks::decode(block + (blocks::scale_at == 0 ? 2 : 0), codes);
      float* const parameters = coded.groups[static_cast<std::size_t>(c / group)].values.row(r).data();
      if constexpr (std::is_same_v<Codec, sign_codec>) {
        if (is_negative) {
          scale = -scale;
          std::for_each(codes, codes + blocks::weights, [](code& q) { q = q == 0 ? 1 : 0; });
        }
      } else if constexpr (std::is_same_v<Codec, ternary_codec>) {
        if (std::any_of(codes, codes + blocks::weights, [](code q) { return q == 3; })) {
          fail(errc::unsupported, "ggml blocks: ", type, ": row ", r, ", columns from ", c,
               ": a weight of twice the scale, which no ternary code is");
        }
        if (is_negative) {
          scale = -scale;
          std::for_each(codes, codes + blocks::weights, [](code& q) { q = static_cast<code>(2 - q); });
        }
      } else {
        parameters[1] = static_cast<float>(levels<Codec>() / 2);
      }
      if (c % group != 0 && half(parameters[0]) != half(scale)) {
        fail(errc::unsupported, "ggml blocks: ", type, ": row ", r, ", columns from ", c, ": the scale ", scale,
             " is not that of the group of ", group, ", ", parameters[0]);
      }
      parameters[0] = scale;
    }
  }
  return pack(coded);
}

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/io/gguf/impl/ggml_blocks.hpp"
#endif
