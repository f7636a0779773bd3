// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A chunk of 32 rows of weights, and a chunk of activations, on their way from global to shared memory: where they go,
// and the asynchronous copies that bring them there. chunk_product.cuh multiplies them.
//
// Lanes copy words of weights in the order in which they lie in memory, eight lanes 128 bytes (in the order in which
// lanes multiply them, four times as many requests to the second level of cache took half of the bandwidth), and to
// places from which they are read without conflicts of banks.
#pragma once

#include "luq/kernels/cuda/arranged_activations.cuh"

namespace luq::cuda {

/// The place of four rows (of eight such fours) of one unit (of four) among the 32 of a copy. Lanes 8u ... 8u+7, which
/// write the rows of unit u, and lanes 8i ... 8i+7, which read two fours of rows of all units, each have eight different
/// places modulo 8: all banks of shared memory.
[[nodiscard]] LUQ_DEVICE_CODE int staged_place(int unit, int four_rows) {
  return unit * 8 + (four_rows + 2 * unit) % 8;
}

/// 32 rows of a packed matrix, and where in them each lane begins to copy: kernels have many more instructions for
/// addresses than for products unless what does not change from chunk to chunk is computed once.
template <class Warp, PlaneCodec Codec>
struct weight_rows {
  static constexpr parameter_sizes sizes = most_parameters<Codec>;
  static constexpr int scale_bytes = rows_of_warp * sizes.scale_bytes;  ///< of one parameter
  static constexpr int copies_of_scale = scale_bytes / 16;

  bool exist;
  typename Warp::template per_lane<const std::byte*> words;   ///< in the first tile: of a plane's first unit
  typename Warp::template per_lane<const std::byte*> scales;  ///< 16 bytes of them
  typename Warp::template per_lane<const std::byte*> packed;  ///< a word of the bit-packed parameter

  LUQ_DEVICE_CODE weight_rows(const packed_planes<Codec>& W, int half_tile) : exist(half_tile < W.half_tiles()) {
    const std::byte* const tiles = W.tiles + half_tile / 2 * W.row_tile_bytes;
    const int first = half_tile % 2 * rows_of_warp;  // in the tile
    Warp::each_lane([&](int lane) {
      words[lane] = tiles + (lane / 8 * static_cast<int>(tile_rows) + first + lane % 8 * rows_of_lane) * 4;
      scales[lane] = tiles + lane / copies_of_scale * 2 * scale_bytes + lane % copies_of_scale * 16 +
                     first * sizes.scale_bytes;
      packed[lane] = tiles + 2 * sizes.scales * scale_bytes + first * W.packed_bits / 8 + lane * 4;
    });
  }
};

/// Chunks of weights of 32 rows.
template <class Warp, PlaneCodec Codec>
class staged_weights {
  using rows_of_matrix = weight_rows<Warp, Codec>;
  static constexpr parameter_sizes sizes = most_parameters<Codec>;

 public:
  /// Copies of 16 bytes to a lane that its words take: of all planes.
  static constexpr int copies = [] {
    int sum = 0;
    for (const int radix : Codec::planes) {
      sum += radix == 2     ? fours_of_chunk<2>
             : radix == 3   ? fours_of_chunk<3>
             : radix == 4   ? fours_of_chunk<4>
             : radix == 16  ? fours_of_chunk<16>
                            : fours_of_chunk<256>;
    }
    return sum;
  }();
  static constexpr int code_bytes = copies * lanes_of_warp * 16;
  static constexpr int bytes = code_bytes + sizes.bytes_of_warp();

  /// Begins to copy; the caller closes the group. Units that the chunk does not have are left as they are.
  /// @tparam Shares  warps that copy the chunk together
  /// @param staged   `bytes` bytes, 16-byte aligned
  /// @param share    this warp's
  template <int Shares = 1>
  static LUQ_DEVICE_CODE void request(const packed_planes<Codec>& W, const rows_of_matrix& rows, int chunk,
                                      std::byte* staged, int share = 0) {
    if (!rows.exist) return;
    const chunk_place place(W, chunk);
    const auto& shape = W.shape(place.group);
    const int tile = place.group * W.tile_bytes;
    constexpr int rounds = (copies + Shares - 1) / Shares;
    unrolled<rounds>([&](auto round) {
      const int copy = round * Shares + share;
      if (copies % Shares != 0 && copy >= copies) return;
      // At most two planes: first those of the first.
      constexpr int of_first = fours_of_chunk<Codec::planes.front()>;
      constexpr int of_other = fours_of_chunk<Codec::planes.back()>;
      const int p = copy < of_first ? 0 : 1;
      const auto& plane = shape.planes[copies == of_first ? 0 : p];
      const int first_unit = 4 * (p == 0 ? place.of_group * of_first + copy : place.of_group * of_other + copy - of_first);
      const int offset = tile + plane.offset + first_unit * static_cast<int>(tile_rows) * 4;
      Warp::each_lane([&](int lane) {
        if (first_unit + lane / 8 >= plane.units) return;
        Warp::template copy_async<16>(staged + (copy * lanes_of_warp + staged_place(lane / 8, lane % 8)) * 16,
                                      rows.words[lane] + offset);
      });
    });
    if (share != 0) return;
    const int parameters = tile + shape.parameters;
    std::byte* const to = staged + code_bytes;
    constexpr int copies_of_scales = sizes.scales * rows_of_matrix::copies_of_scale;
    unrolled<(copies_of_scales + lanes_of_warp - 1) / lanes_of_warp>([&](auto round) {
      constexpr int scales_before = round * lanes_of_warp / rows_of_matrix::copies_of_scale;
      Warp::each_lane([&](int lane) {
        if (round * lanes_of_warp + lane >= copies_of_scales) return;
        Warp::template copy_async<16>(to + (round * lanes_of_warp + lane) * 16,
                                      rows.scales[lane] + parameters + scales_before * 2 * rows_of_matrix::scale_bytes);
      });
    });
    if constexpr (sizes.bits > 0) {
      Warp::each_lane([&](int lane) {
        if (lane >= W.packed_bits) return;  // 32 rows of b bits are b words
        Warp::template copy_async<4>(to + sizes.scales * rows_of_matrix::scale_bytes + lane * 4,
                                     rows.packed[lane] + parameters);
      });
    }
  }

  /// A lane's words of the i-th copy.
  [[nodiscard]] static LUQ_DEVICE_CODE lane_words words(const std::byte* staged, int copy, int lane) {
    return load<lane_words>(staged + (copy * lanes_of_warp + staged_place(lane % 4, lane / 4)) * 16);
  }
};

/// Chunks of activations, of `Tokens` tokens.
template <class Warp, PlaneCodec Codec, activation_bits Bits, arithmetic Arithmetic, int Tokens>
struct staged_activations {
  using layout = activation_layout<Codec, Bits, Arithmetic>;
  static constexpr int tiles = layout::tiles_of_tokens(Tokens);
  static_assert(Arithmetic == arithmetic::bit_serial ||
                    Tokens * layout::classes * layout::parts == tiles * columns_of_tile,
                "whole tiles");
  static constexpr int word_bytes = tiles * layout::words_of_tile * 4;
  static constexpr int factors = Tokens * (1 + layout::classes);
  static constexpr int bytes = word_bytes + (factors * 4 + 15) / 16 * 16;

  /// Begins to copy; the caller closes the group. What belongs to no token is left as it is.
  /// @param X        of whole blocks of `Tokens` tokens where several warps share
  /// @tparam Shares  warps that copy the chunk together
  /// @param staged   `bytes` bytes, 16-byte aligned
  /// @param share    this warp's
  template <int Shares = 1>
  static LUQ_DEVICE_CODE void request(const arranged_activations& X, int chunk, int first_token, std::byte* staged,
                                      int share = 0) {
    const int first_word = (chunk * X.tiles + layout::tiles_of_tokens(first_token)) * layout::words_of_tile;
    constexpr int copy_words = Arithmetic == arithmetic::bytes ? 4 : layout::parts;
    constexpr int copies = tiles * layout::words_of_tile / (lanes_of_warp * copy_words);
    const int values = (X.tokens - first_token) * layout::classes;
    // Few tokens do not fill a tile; of many, only the last tiles are not there, and those have room.
    constexpr bool all_exist = Shares > 1;
    unrolled<(copies + Shares - 1) / Shares>([&](auto round) {
      const int copy = round * Shares + share;
      if (copies % Shares != 0 && copy >= copies) return;
      Warp::each_lane([&](int lane) {
        const int word = (copy * lanes_of_warp + lane) * copy_words;
        const int value = Arithmetic == arithmetic::bytes
                              ? (copy / layout::all_reads * columns_of_tile + lane / 4) / layout::parts
                              : copy;
        if (!all_exist && value >= values) return;
        Warp::template copy_async<4 * copy_words>(staged + 4 * word, X.words + (first_word + word));
      });
    });
    const int first_factor = (chunk * X.tokens + first_token) * (1 + layout::classes);
    const int all_factors = (X.tokens - first_token) * (1 + layout::classes);
    constexpr int of_round = Shares * lanes_of_warp;
    unrolled<(factors + of_round - 1) / of_round>([&](auto round) {
      Warp::each_lane([&](int lane) {
        const int i = round * of_round + share * lanes_of_warp + lane;
        if (i >= factors || i >= all_factors) return;
        Warp::template copy_async<4>(staged + word_bytes + 4 * i, X.factors + (first_factor + i));
      });
    });
  }
};

}  // namespace luq::cuda
