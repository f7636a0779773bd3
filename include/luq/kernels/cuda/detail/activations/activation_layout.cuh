// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// How activations lie in memory for the integer products of chunk_product.cuh: as whole numbers, in the order in which
// lanes read them.
//
// A token's activations in a chunk become x = s q. There is one scale s for the token and chunk; q has 8 or 16 bits. A
// codec whose columns have two classes gets two values for each token, one for each class, zero in the columns of the
// other class: value = token * classes + class.
//
// A tile is the 8 columns of B in one matrix instruction. There are two ways to fill them:
//
//   bytes       A column holds bytes of q: an 8-bit q takes one column, a 16-bit q = 256 high + low takes two. For
//               planes of any radix.
//   bit_serial  A column holds one bit of q in two's complement: an 8-bit q takes one tile, a 16-bit q takes two. For
//               planes of bits, which then go into the instruction as they are stored. A token takes 8 times the
//               columns that it takes with bytes.
//
// The order of 32-bit words in memory:
//
//   bytes       chunk | tile | radix of planes | four words | lane | word
//   bit_serial  chunk | value | lane | tile of the value
//
// A lane has the words of column g = lane / 4 of B and of unit t = lane % 4 of every four units. With bytes that is one
// word for each slot of each of its units, with bits the one word of its one unit.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "luq/core/error.hpp"
#include "luq/kernels/cuda/activation_bits.hpp"
#include "luq/kernels/cuda/detail/planes/plane_units.cuh"

namespace luq::cuda::detail {

/// How activations are spread over columns of matrix instructions.
enum class arithmetic { bytes, bit_serial };

inline constexpr int columns_of_tile = 8;  ///< of B of a matrix instruction

/// Memory for bytes is allocated for a multiple of so many tokens, because kernels for many tokens copy whole blocks.
inline constexpr int most_tokens_of_block = 128;

/// Tokens that a block of a kernel for many tokens has at least.
inline constexpr int least_tokens_of_block = 4;

/// Tokens that one call can multiply. Blocks of tokens are the second dimension of a grid, which ends at 65535.
inline constexpr int most_tokens = 65535 * least_tokens_of_block;

/// Up to so many tokens are multiplied bit by bit where planes are of bits. The cost of bits grows with every token,
/// that of bytes only with every fourth.
inline constexpr int most_bit_serial_tokens = 2;

/// How so many tokens are arranged for a codec.
template <PlaneCodec Codec>
[[nodiscard]] constexpr arithmetic arithmetic_for(int tokens) {
  return luq::detail::has_only_bit_planes<Codec> && tokens <= most_bit_serial_tokens ? arithmetic::bit_serial
                                                                                     : arithmetic::bytes;
}

/// Calls body(std::integral_constant<arithmetic, a>()) for the arithmetic of so many tokens.
template <PlaneCodec Codec, class Body>
void with_arithmetic(int tokens, const Body& body) {
  if constexpr (luq::detail::has_only_bit_planes<Codec>) {
    if (arithmetic_for<Codec>(tokens) == arithmetic::bit_serial) {
      return body(std::integral_constant<arithmetic, arithmetic::bit_serial>());
    }
  }
  body(std::integral_constant<arithmetic, arithmetic::bytes>());
}

/// How activations for a codec are arranged.
template <PlaneCodec Codec, activation_bits Bits, arithmetic Arithmetic>
struct activation_layout {
  static_assert(Arithmetic == arithmetic::bytes || luq::detail::has_only_bit_planes<Codec>);

  static constexpr int classes = column_class_count<Codec>;
  static constexpr int greatest = Bits == activation_bits::sixteen ? 127 * 256 + 127 : 127;

  /// Bytes of q: columns of a value with bytes, tiles of a value with bits.
  static constexpr int parts = Bits == activation_bits::sixteen ? 2 : 1;

  /// Tiles that so many values take.
  [[nodiscard]] static constexpr int tiles_of_values(int values) {
    return Arithmetic == arithmetic::bytes ? (values * parts + columns_of_tile - 1) / columns_of_tile : values * parts;
  }
  [[nodiscard]] static constexpr int tiles_of_tokens(int tokens) { return tiles_of_values(tokens * classes); }

  /// Tiles to allocate.
  [[nodiscard]] static constexpr int tiles_with_room(int tokens) {
    constexpr int multiple = Arithmetic == arithmetic::bytes ? most_tokens_of_block : 1;
    return tiles_of_tokens((tokens + multiple - 1) / multiple * multiple);
  }

  /// The different radices of planes, each of which has an arrangement of its own.
  static constexpr int first_radix = Codec::planes.front();
  static constexpr int other_radix = Codec::planes.back();
  static constexpr int arrangements = first_radix == other_radix ? 1 : 2;
  static_assert(columns_of_chunk<first_radix> == columns_of_chunk<other_radix>);

  /// Words of a lane for planes of this radix: slots of its units.
  template <int Radix>
  static constexpr int slots = fours_of_chunk<Radix> * plane_units<Radix>::symbols;

  /// The same in reads of 16 bytes.
  template <int Radix>
  static constexpr int reads = (slots<Radix> + 3) / 4;
  static constexpr int all_reads = reads<first_radix> + (arrangements == 2 ? reads<other_radix> : 0);

  /// Words of a tile in one chunk.
  static constexpr int words_of_tile = lanes_of_warp * (Arithmetic == arithmetic::bytes ? 4 * all_reads : 1);

  /// Where, in the words of a tile, the words of a lane's i-th read for planes of this radix begin.
  template <int Radix>
  [[nodiscard]] static constexpr int word_of_read(int i, int lane) {
    const int before = Radix == first_radix ? 0 : reads<first_radix>;
    return ((before + i) * lanes_of_warp + lane) * 4;
  }
};

/// Arranged activations in memory. Plain data, passed to kernels by value. The activation_layout is known to who fills
/// them and to who reads them; it is not stored.
struct arranged_activations {
  int tokens;
  int tiles;             ///< in each chunk
  std::uint32_t* words;  ///< [chunks][tiles][words_of_tile]; columns of tokens that do not exist are not written
  float* factors;        ///< [chunks][tokens][1 + classes]: the scale s, then the sums of s q of each class;
                         ///< s is NaN where a token has an activation in the chunk that is no finite number
};

/// How much memory arranged activations take.
struct arranged_size {
  int tiles;            ///< in each chunk
  std::size_t words;    ///< of all chunks
  std::size_t factors;  ///< of all chunks
};

/// The memory of so many tokens for a matrix of so many chunks of columns.
/// @throws luq::error unsupported for more than most_tokens, or more words than an int counts: kernels count in ints
template <PlaneCodec Codec, activation_bits Bits, arithmetic Arithmetic>
[[nodiscard]] arranged_size size_of_arranged(int chunks, int tokens) {
  using layout = activation_layout<Codec, Bits, Arithmetic>;
  constexpr std::int64_t most_words = (std::numeric_limits<int>::max)();
  const int tiles = layout::tiles_with_room((std::min)(tokens, most_tokens));
  const std::int64_t words = std::int64_t{chunks} * tiles * layout::words_of_tile;
  if (tokens > most_tokens || words > most_words) {
    fail(errc::unsupported, "activations on a GPU: expected at most ", most_tokens, " tokens, and ", most_words,
         " words of 32 bits, got ", tokens, " tokens in ", chunks, " chunks of columns; multiply fewer at a time");
  }
  return {tiles, static_cast<std::size_t>(words),
          static_cast<std::size_t>(chunks) * static_cast<std::size_t>(tokens) * (1 + layout::classes)};
}

}  // namespace luq::cuda::detail
