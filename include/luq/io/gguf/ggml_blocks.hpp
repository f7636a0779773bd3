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
#include <variant>
#include <vector>

#include "luq/codecs/any_codec.hpp"
#include "luq/codecs/any_packed_matrix.hpp"
#include "luq/codecs/packed_matrix.hpp"
#include "luq/core/assert.hpp"
#include "luq/core/error.hpp"
#include "luq/core/half.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/io/gguf/ggml_type.hpp"

namespace luq {

namespace detail {

/// The blocks that hold a codec's groups, where their scale is, and how codes lie in the other bytes. The primary
/// template is for codecs that have none.
template <class Codec>
struct ggml_blocks {
  static constexpr bool exists = false;
};

template <>
struct ggml_blocks<sign_codec> {
  static constexpr bool exists = true;
  static constexpr ggml_type type = ggml_type::q1_0;
  static constexpr index weights = 128;
  static constexpr index code_bytes = 16;
  static constexpr index scale_at = 0;

  static void encode(const code* codes, std::uint8_t* bytes) {
    for (index j = 0; j < weights; ++j) bytes[j / 8] = static_cast<std::uint8_t>(bytes[j / 8] | codes[j] << (j % 8));
  }
  static void decode(const std::uint8_t* bytes, code* codes) {
    for (index j = 0; j < weights; ++j) codes[j] = static_cast<code>((bytes[j / 8] >> (j % 8)) & 1);
  }
};

template <>
struct ggml_blocks<ternary_codec> {
  static constexpr bool exists = true;
  static constexpr ggml_type type = ggml_type::tq2_0;
  static constexpr index weights = 256;
  static constexpr index code_bytes = 64;
  static constexpr index scale_at = 64;

  [[nodiscard]] static constexpr index byte_of(index j) { return j / 128 * 32 + j % 32; }
  [[nodiscard]] static constexpr index shift_of(index j) { return j % 128 / 32 * 2; }

  static void encode(const code* codes, std::uint8_t* bytes) {
    for (index j = 0; j < weights; ++j) {
      bytes[byte_of(j)] = static_cast<std::uint8_t>(bytes[byte_of(j)] | codes[j] << shift_of(j));
    }
  }
  static void decode(const std::uint8_t* bytes, code* codes) {
    for (index j = 0; j < weights; ++j) codes[j] = static_cast<code>((bytes[byte_of(j)] >> shift_of(j)) & 3);
  }
};

template <>
struct ggml_blocks<int_codec<4>> {
  static constexpr bool exists = true;
  static constexpr ggml_type type = ggml_type::q4_0;
  static constexpr index weights = 32;
  static constexpr index code_bytes = 16;
  static constexpr index scale_at = 0;

  static void encode(const code* codes, std::uint8_t* bytes) {
    for (index j = 0; j < code_bytes; ++j) bytes[j] = static_cast<std::uint8_t>(codes[j] | codes[j + code_bytes] << 4);
  }
  static void decode(const std::uint8_t* bytes, code* codes) {
    for (index j = 0; j < code_bytes; ++j) {
      codes[j] = bytes[j] & 15u;
      codes[j + code_bytes] = static_cast<code>(bytes[j] >> 4);
    }
  }
};

template <>
struct ggml_blocks<int_codec<8>> {
  static constexpr bool exists = true;
  static constexpr ggml_type type = ggml_type::q8_0;
  static constexpr index weights = 32;
  static constexpr index code_bytes = 32;
  static constexpr index scale_at = 0;

  // code 0 is -128: the two differ in the highest bit
  static void encode(const code* codes, std::uint8_t* bytes) {
    for (index j = 0; j < weights; ++j) bytes[j] = static_cast<std::uint8_t>(codes[j] ^ 128u);
  }
  static void decode(const std::uint8_t* bytes, code* codes) {
    for (index j = 0; j < weights; ++j) codes[j] = static_cast<code>(bytes[j] ^ 128u);
  }
};

/// Bytes of one block: the scale and the codes.
template <class Codec>
inline constexpr index ggml_block_bytes = 2 + ggml_blocks<Codec>::code_bytes;

static_assert(facts_of(ggml_type::q1_0)->block_bytes == ggml_block_bytes<sign_codec> &&
              facts_of(ggml_type::tq2_0)->block_bytes == ggml_block_bytes<ternary_codec> &&
              facts_of(ggml_type::q4_0)->block_bytes == ggml_block_bytes<int_codec<4>> &&
              facts_of(ggml_type::q8_0)->block_bytes == ggml_block_bytes<int_codec<8>>);

/// Why matrices of a codec and so many columns have no lossless form in blocks, or nothing.
template <WeightCodec Codec>
[[nodiscard]] std::string ggml_blocks_fault(const Codec& codec, index cols) {
  using blocks = ggml_blocks<Codec>;
  if constexpr (!blocks::exists) {
    return codec.name() + " has no lossless form in blocks of ggml";
  } else {
    const std::string of_type = ", the block of " + ggml_type_name(blocks::type);
    const std::string block = std::to_string(blocks::weights);
    if constexpr (requires { codec.symmetric; }) {
      if (!codec.symmetric) {
        return codec.name() + " stores zero points, for which blocks of ggml have no lossless form";
      }
    }
    if (cols % blocks::weights != 0) {
      return codec.name() + ": " + std::to_string(cols) + " columns are not a multiple of " + block + of_type;
    }
    if (group_size(codec, cols) % blocks::weights != 0) {
      return codec.name() + ": groups of " + std::to_string(codec.group) + " columns are not a multiple of " + block +
             of_type;
    }
    return {};
  }
}

/// Codecs whose matrices can be blocks, options permitting.
template <class Codec>
concept HasGgmlBlocks = WeightCodec<Codec> && ggml_blocks<Codec>::exists;

template <WeightCodec Codec>
void require_ggml_blocks(const Codec& codec, index cols) {
  const std::string fault = ggml_blocks_fault(codec, cols);
  if (!fault.empty()) fail(errc::unsupported, "ggml blocks: ", fault);
}

}  // namespace detail

/// Why matrices of a codec and so many columns cannot be blocks of ggml without loss, in one line; empty if they can.
/// For whoever makes a plan that is to be exported.
[[nodiscard]] inline std::string ggml_blocks_fault(const any_codec& codec, index cols) {
  return std::visit([cols](const auto& c) { return detail::ggml_blocks_fault(c, cols); }, codec);
}

/// The type whose blocks hold matrices of a codec and so many columns without loss.
/// @throws luq::error unsupported with the reason if there is none
[[nodiscard]] inline ggml_type ggml_blocks_type(const any_codec& codec, index cols) {
  const std::string fault = ggml_blocks_fault(codec, cols);
  if (!fault.empty()) fail(errc::unsupported, "ggml blocks: ", fault);
  return std::visit(
      []<class Codec>(const Codec&) {
        if constexpr (detail::HasGgmlBlocks<Codec>) return detail::ggml_blocks<Codec>::type;
        return ggml_type{};
      },
      codec);
}

/// The blocks of a matrix, row by row: the data of a tensor of type ggml_blocks_type() and the same shape.
/// @throws luq::error unsupported with the reason if there is no lossless form
template <detail::HasGgmlBlocks Codec>
[[nodiscard]] std::vector<std::byte> to_ggml_blocks(const packed_matrix<Codec>& packed) {
  using blocks = detail::ggml_blocks<Codec>;
  detail::require_ggml_blocks(packed.codec(), packed.cols());
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
[[nodiscard]] inline std::vector<std::byte> to_ggml_blocks(const any_packed_matrix& packed) {
  return std::visit(
      []<class Codec>(const packed_matrix<Codec>& p) -> std::vector<std::byte> {
        if constexpr (detail::HasGgmlBlocks<Codec>) return to_ggml_blocks(p);
        detail::require_ggml_blocks(p.codec(), p.cols());  // throws
        return {};
      },
      packed);
}

/// The matrix that blocks hold. Its weights are the same floats; a negative scale of q1_0 or tq2_0 becomes a positive
/// one with all signs inverted, for their codecs have none.
/// @param codec  sign_codec for q1_0, ternary_codec for tq2_0, symmetric int_codec<4> for q4_0, symmetric int_codec<8>
/// for q8_0. Its groups may
///   be longer than blocks; all blocks of a group must then have the same scale, as to_ggml_blocks() leaves them
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
  for (group_parameters& parameters : coded.groups) parameters.values.resize(rows, Codec::parameter_count);
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
