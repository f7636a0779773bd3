// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Blocks of ggml for each codec that has some; the layouts are those at the top of ggml_blocks.hpp.
//
// IWYU pragma: private, include "luq/io/gguf/ggml_blocks.hpp"
#pragma once

#include <cstdint>
#include <string>

#include "luq/codecs/int_codec.hpp"
#include "luq/codecs/sign_codec.hpp"
#include "luq/codecs/ternary_codec.hpp"
#include "luq/codecs/weight_codec.hpp"
#include "luq/core/error.hpp"
#include "luq/core/index.hpp"
#include "luq/io/gguf/ggml_type.hpp"

namespace luq::detail {

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
    return codec_name(codec) + " has no lossless form in blocks of ggml";
  } else {
    const std::string of_type = ", the block of " + ggml_type_name(blocks::type);
    const std::string block = std::to_string(blocks::weights);
    if constexpr (requires { codec.symmetric; }) {
      if (!codec.symmetric) {
        return codec_name(codec) + " stores zero points, for which blocks of ggml have no lossless form";
      }
    }
    if (cols % blocks::weights != 0) {
      return codec_name(codec) + ": " + std::to_string(cols) + " columns are not a multiple of " + block + of_type;
    }
    if (group_size(codec, cols) % blocks::weights != 0) {
      return codec_name(codec) + ": groups of " + std::to_string(codec.group) + " columns are not a multiple of " +
             block + of_type;
    }
    return {};
  }
}

/// Codecs whose matrices can be blocks, options permitting.
template <class Codec>
concept HasGgmlBlocks = WeightCodec<Codec> && ggml_blocks<Codec>::exists;

/// @throws luq::error unsupported with the reason if there is no lossless form
template <WeightCodec Codec>
void require_ggml_blocks(const Codec& codec, index cols) {
  const std::string fault = ggml_blocks_fault(codec, cols);
  if (!fault.empty()) fail(errc::unsupported, "ggml blocks: ", fault);
}

}  // namespace luq::detail
