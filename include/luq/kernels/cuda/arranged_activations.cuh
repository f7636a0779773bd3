// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Activations as the integer products of chunk_product.cuh take them: whole numbers for every chunk of columns, in the
// order in which lanes ask for them.
//
// A token's activations in a chunk become x = s q with one scale s, where q has 8 or 16 bits. Where columns of a codec
// have two classes, each class has values of its own, zero at the places of the other class: value = token * classes +
// class. A tile is the 8 columns of B in one matrix instruction, and there are two ways to spend them:
//
//   bytes       a column has bytes of q: all of an 8-bit q, or q = 256 high + low in two columns. For any planes.
//   bit_serial  a column has one bit of q in two's complement: a tile for 8 bits, two for 16. For planes of bits, which
//               then go into the instruction as they are stored; of n tokens it costs 8 n columns where bytes cost n.
//
// In memory, words of 32 bits:
//
//   bytes       chunk | tile | radix of planes | four words | lane | word
//   bit_serial  chunk | value | lane | tile of the value
//
// The words of a lane are its columns g = lane / 4 of B and, of every four units, unit t = lane % 4: with bytes, one
// word for each slot of each of its units; with bits, one for its one unit.
#pragma once

#include <bit>
#include <cfloat>
#include <cmath>

#include "luq/kernels/cuda/packed_planes.cuh"

namespace luq::cuda {

/// Of how many bits activations are.
enum class activation_bits {
  eight,    ///< a relative error of about half a percent on normal activations, as activation_mode::int8
  sixteen,  ///< a relative error below 2^-14 of a chunk's greatest activation
};

/// How activations are spread over columns of matrix instructions.
enum class arithmetic { bytes, bit_serial };

inline constexpr int columns_of_tile = 8;  ///< of B of a matrix instruction

/// Tokens of bytes are rounded up to a multiple of this when memory is allocated: kernels for many tokens copy whole
/// blocks.
inline constexpr int most_tokens_of_block = 128;

/// Of a block of kernels for many tokens.
inline constexpr int least_tokens_of_block = 4;

/// Tokens at once: blocks of tokens are the second dimension of a grid, which ends at 65535.
inline constexpr int most_tokens = 65535 * least_tokens_of_block;

/// How activations for a codec are arranged.
template <PlaneCodec Codec, activation_bits Bits, arithmetic Arithmetic>
struct activation_layout {
  static_assert(Arithmetic == arithmetic::bytes || luq::detail::has_only_bit_planes<Codec>);

  static constexpr int classes = Codec::column_classes;
  static constexpr int greatest = Bits == activation_bits::sixteen ? 127 * 256 + 127 : 127;

  /// Bytes of q: columns of a value with bytes, tiles of a value with bits.
  static constexpr int parts = Bits == activation_bits::sixteen ? 2 : 1;

  /// Tiles of so many values.
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
  static constexpr int slots = fours_of_chunk(Radix) * plane_units<Radix>::symbols;

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

/// Arranged activations in memory. Plain data, passed to kernels by value. Who fills it and who reads it agree on the
/// layout.
struct arranged_activations {
  int tokens;
  int tiles;             ///< in each chunk
  std::uint32_t* words;  ///< [chunks][tiles][words_of_tile]; columns of tokens that do not exist are not written
  float* factors;        ///< [chunks][tokens][1 + classes]: the scale s, then the sums of s q of each class;
                         ///< s is NaN where a token has an activation in the chunk that is no finite number
};

/// Elements of the memory of arranged activations.
struct arranged_size {
  int tiles;            ///< in each chunk
  std::size_t words;    ///< of all chunks
  std::size_t factors;  ///< of all chunks
};

/// For so many tokens of a matrix with so many chunks of columns.
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

/// Of 22 significant bits, so that its product with 3 2^n is a float: chunk_product.cuh subtracts such products.
[[nodiscard]] LUQ_DEVICE_CODE float of_22_bits(float scale) {
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(scale) & ~std::uint32_t{3});
}

/// What one warp does for a token in a chunk: its activations, arranged for planes of one radix.
template <class Warp, activation_bits Bits, arithmetic Arithmetic, int Radix, PlaneCodec Codec>
class token_arrangement {
  using layout = activation_layout<Codec, Bits, Arithmetic>;
  template <class T>
  using per_lane = typename Warp::template per_lane<T>;
  static constexpr int symbols = plane_units<Radix>::symbols;

  /// A lane has the word of slot `lane` of the chunk's units and, of planes with more slots than lanes, every 32nd
  /// after.
  static constexpr int slots = 4 * layout::template slots<Radix>;
  static constexpr int words = (slots + lanes_of_warp - 1) / lanes_of_warp;

  struct lane_activations {
    float x[words][4];
    bool first_class[words][4];  ///< the column is of class 0
  };
  struct lane_levels {
    int q[words][4];
  };

 public:
  /// Reads them.
  /// @param X  [tokens x cols], `stride` elements from row to row
  template <class Stored>
  LUQ_DEVICE_CODE token_arrangement(const packed_planes<Codec>& W, const Stored* X, std::int64_t stride, int chunk,
                                    int token)
      : token_(token) {
    const auto [g, of_group] = chunk_place(W, chunk);
    const int first_unit = of_group * fours_of_chunk(Radix) * 4;
    const int k = W.shape(g).columns;
    const int border = W.class_borders != nullptr ? W.class_borders[g] : 0;
    const plane_units<Radix> units{k};
    const std::int64_t first = token * stride;
    per_lane<float> greatest;
    Warp::each_lane([&, g = g](int lane) {
      float most = 0;
      bool finite = true;
      unrolled<words * 4>([&](auto i) {
        constexpr int w = i / 4;
        const int slot = lane + w * lanes_of_warp;
        const int unit = first_unit + slot / symbols;
        const int place = slot < slots && unit < units.count() ? units.column(unit, slot % symbols, i % 4) : k;
        float x = 0;
        if (place < k) {
          const int stored = g * W.group + place;
          x = to_float(X[first + (W.stored_columns != nullptr ? W.stored_columns[stored] : stored)]);
        }
        activations_[lane].x[w][i % 4] = x;
        activations_[lane].first_class[w][i % 4] = place >= border;
        finite = finite && fabsf(x) <= FLT_MAX;
        most = fmaxf(most, fabsf(x));
      });
      greatest[lane] = finite ? most : INFINITY;
    });
    const float most = Warp::maximum(greatest);
    const bool finite = most <= FLT_MAX;
    scale_ = finite ? of_22_bits(most / static_cast<float>(layout::greatest)) : NAN;
    // The inverse of a tiny maximum is beyond float; such a chunk is as good as zero.
    const float inverse = finite && most > 0 ? static_cast<float>(layout::greatest) / most : 0.0f;
    inverse_ = inverse <= FLT_MAX ? inverse : 0.0f;
    if (inverse_ == 0.0f) {
      Warp::each_lane([&](int lane) {
        unrolled<words * 4>([&](auto i) { activations_[lane].x[i / 4][i % 4] = 0; });  // infinity times 0 is no level
      });
    }
  }

  /// Writes the words of all classes.
  /// @param words_of_chunk  of arranged_activations
  LUQ_DEVICE_CODE void write_words(std::uint32_t* words_of_chunk) {
    unrolled<layout::classes>([&](auto c) {
      const int value = token_ * layout::classes + c;
      const per_lane<lane_levels> levels = levels_of(c);
      if constexpr (Arithmetic == arithmetic::bytes) {
        write_bytes(levels, value * layout::parts, words_of_chunk);
      } else {
        write_bits(levels, words_of_chunk + value * lanes_of_warp * layout::parts);
      }
    });
  }

  /// Writes the scale, and the sums of all classes.
  LUQ_DEVICE_CODE void write_factors(float* factors) {
    unrolled<layout::classes>([&](auto c) {
      const per_lane<lane_levels> levels = levels_of(c);
      per_lane<int> sums;
      Warp::each_lane([&](int lane) {
        sums[lane] = 0;
        unrolled<words * 4>([&](auto i) { sums[lane] += levels[lane].q[i / 4][i % 4]; });
      });
      const int sum = Warp::sum(sums);
      Warp::each_lane([&](int lane) {
        if (lane != 0) return;
        factors[0] = scale_;
        factors[1 + c] = scale_ * static_cast<float>(sum);
      });
    });
  }

 private:
  /// Whole numbers; zero in columns of the other class.
  LUQ_DEVICE_CODE per_lane<lane_levels> levels_of(int column_class) {
    per_lane<lane_levels> levels;
    Warp::each_lane([&](int lane) {
      unrolled<words * 4>([&](auto i) {
        const bool of_class =
            layout::classes == 1 || activations_[lane].first_class[i / 4][i % 4] == (column_class == 0);
        const float x = activations_[lane].x[i / 4][i % 4] * inverse_;
        levels[lane].q[i / 4][i % 4] = of_class ? static_cast<int>(rintf(x)) : 0;
      });
    });
    return levels;
  }

  LUQ_DEVICE_CODE void write_bytes(const per_lane<lane_levels>& levels, int column, std::uint32_t* words_of_chunk) {
    std::uint32_t* const tile = words_of_chunk + column / columns_of_tile * layout::words_of_tile;
    Warp::each_lane([&](int lane) {
      unrolled<words>([&](auto w) {
        const int slot = lane + w * lanes_of_warp;
        if (slot >= slots) return;
        std::uint32_t packed[2] = {};
        unrolled<4>([&](auto byte) {
          const int q = levels[lane].q[w][byte];
          // high is the nearest multiple of 256, so that low fits eight bits with a sign.
          const int high = layout::parts == 2 ? (q + 128) >> 8 : q;
          packed[0] |= static_cast<std::uint32_t>(high & 0xff) << (8 * byte);
          packed[1] |= static_cast<std::uint32_t>(q & 0xff) << (8 * byte);
        });
        const int unit = slot / symbols;
        const int of_lane = unit / 4 * symbols + slot % symbols;
        unrolled<layout::parts>([&](auto part) {
          const int reader = (column + part) % columns_of_tile * 4 + unit % 4;
          tile[layout::template word_of_read<Radix>(of_lane / 4, reader) + of_lane % 4] = packed[part];
        });
      });
    });
  }

  LUQ_DEVICE_CODE void write_bits(const per_lane<lane_levels>& levels, std::uint32_t* words_of_value) {
    // Lanes 8 u ... 8 u + 7 have the slots of unit u, and each the four bytes of a slot: of a ballot over the bits of
    // one byte, eight belong together in a word.
    per_lane<lane_words> ballots[layout::parts];
    unrolled<8 * layout::parts>([&](auto b) {
      lane_words of_bytes;
      unrolled<4>([&](auto byte) {
        per_lane<bool> one;
        Warp::each_lane([&](int lane) { one[lane] = ((levels[lane].q[0][byte] >> b) & 1) != 0; });
        of_bytes.word[byte] = Warp::ballot(one);
      });
      Warp::each_lane([&](int lane) {
        if (lane / 4 == b % 8) ballots[b / 8][lane] = of_bytes;
      });
    });
    Warp::each_lane([&](int lane) {
      unrolled<layout::parts>([&](auto part) {
        std::uint32_t word = 0;
        unrolled<4>(
            [&](auto byte) { word |= ((ballots[part][lane].word[byte] >> (8 * (lane % 4))) & 0xffu) << (8 * byte); });
        words_of_value[lane * layout::parts + part] = word;
      });
    });
  }

  int token_;
  float scale_;
  float inverse_;
  per_lane<lane_activations> activations_;
};

/// What one warp does: the activations of one token in one chunk.
/// @param X  [tokens x cols], `stride` elements from row to row
template <class Warp, activation_bits Bits, arithmetic Arithmetic, PlaneCodec Codec, class Stored>
LUQ_DEVICE_CODE void arrange_token(const packed_planes<Codec>& W, const Stored* X, std::int64_t stride, int chunk,
                                   int token, const arranged_activations& out) {
  using layout = activation_layout<Codec, Bits, Arithmetic>;
  std::uint32_t* const words = out.words + static_cast<std::int64_t>(chunk) * out.tiles * layout::words_of_tile;
  token_arrangement<Warp, Bits, Arithmetic, layout::first_radix, Codec> first(W, X, stride, chunk, token);
  first.write_words(words);
  first.write_factors(out.factors + (static_cast<std::int64_t>(chunk) * out.tokens + token) * (1 + layout::classes));
  if constexpr (layout::arrangements == 2) {
    token_arrangement<Warp, Bits, Arithmetic, layout::other_radix, Codec>(W, X, stride, chunk, token)
        .write_words(words);
  }
}

}  // namespace luq::cuda
