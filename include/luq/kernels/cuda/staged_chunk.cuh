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
/// write the rows of unit u, and lanes 8i ... 8i+7, which read two fours of rows of all units, each have eight
/// different places modulo 8: all banks of shared memory.
[[nodiscard]] LUQ_DEVICE_CODE int staged_place(int unit, int four_rows) {
  return unit * 8 + (four_rows + 2 * unit) % 8;
}

/// 32 rows of a packed matrix, and where in them each lane begins to copy: kernels have many more instructions for
/// addresses than for products unless what does not change from chunk to chunk is computed once.
template <class Warp, PlaneCodec Codec>
struct weight_rows {
  bool exist;
  typename Warp::template per_lane<const std::byte*> words;       ///< in the first tile: of a plane's first units
  typename Warp::template per_lane<const std::byte*> parameters;  ///< 16 bytes of them, as if they were at its begin

  LUQ_DEVICE_CODE weight_rows(const packed_planes<Codec>& W, int half_tile) : exist(half_tile < W.half_tiles()) {
    const std::byte* const tiles = W.tiles + half_tile / 2 * W.row_tile_bytes;
    const int half = half_tile % 2;
    Warp::each_lane([&](int lane) {
      words[lane] =
          tiles + (lane / 8 * static_cast<int>(tile_rows) + half * rows_of_warp + lane % 8 * rows_of_lane) * 4;
      parameters[lane] = tiles + half * W.parameter_bytes + lane * 16;
    });
  }
};

/// Chunks of weights of 32 rows.
template <class Warp, PlaneCodec Codec>
class staged_weights {
  static constexpr int most_parameter_bytes = most_parameters<Codec>.bytes_of_warp();

 public:
  /// Copies of 16 bytes to a lane that its words take: of all planes.
  static constexpr int copies = [] {
    int sum = 0;
    for (const int radix : Codec::planes) sum += fours_of_chunk(radix);
    return sum;
  }();
  static constexpr int code_bytes = copies * lanes_of_warp * 16;
  static constexpr int bytes = code_bytes + most_parameter_bytes;

  /// Begins to copy; the caller closes the group. Units that the chunk does not have are left as they are.
  /// @tparam Shares  warps that copy the chunk together
  /// @param staged   `bytes` bytes, 16-byte aligned
  /// @param share    this warp's
  template <int Shares = 1>
  static LUQ_DEVICE_CODE void request(const packed_planes<Codec>& W, const weight_rows<Warp, Codec>& rows, int chunk,
                                      std::byte* staged, int share = 0) {
    if (!rows.exist) return;
    const chunk_place place(W, chunk);
    const auto shape = W.shape(place.group);
    const int tile = place.group * W.tile_bytes;
    constexpr int rounds = (copies + Shares - 1) / Shares;
    unrolled<rounds>([&](auto round) {
      const int copy = round * Shares + share;
      if (copies % Shares != 0 && copy >= copies) return;
      // At most two planes: first those of the first.
      constexpr int of_first = fours_of_chunk(Codec::planes.front());
      constexpr int of_other = fours_of_chunk(Codec::planes.back());
      const bool first = copies == of_first || copy < of_first;
      const auto plane = first ? shape.planes[0] : shape.planes[Codec::planes.size() - 1];
      const int first_unit =
          4 * (first ? place.of_group * of_first + copy : place.of_group * of_other + copy - of_first);
      const int offset = tile + (first ? 0 : plane.offset) + first_unit * static_cast<int>(tile_rows) * 4;
      Warp::each_lane([&](int lane) {
        if (first_unit + lane / 8 >= plane.units) return;
        Warp::template copy_async<16>(staged + (copy * lanes_of_warp + staged_place(lane / 8, lane % 8)) * 16,
                                      rows.words[lane] + offset);
      });
    });
    if (share != 0) return;
    const int parameters = tile + shape.parameters;
    unrolled<(most_parameter_bytes / 16 + lanes_of_warp - 1) / lanes_of_warp>([&](auto round) {
      constexpr int before = round * lanes_of_warp * 16;
      Warp::each_lane([&](int lane) {
        if (before + lane * 16 >= W.parameter_bytes) return;
        Warp::template copy_async<16>(staged + code_bytes + before + lane * 16,
                                      rows.parameters[lane] + parameters + before);
      });
    });
  }

  /// A lane's words of the i-th copy.
  [[nodiscard]] static LUQ_DEVICE_CODE lane_words words(const std::byte* staged, int copy, int lane) {
    return load<lane_words>(staged + (copy * lanes_of_warp + staged_place(lane % 4, lane / 4)) * 16);
  }
};

/// Chunks of activations of bytes, of `Tokens` tokens, that warps of a block share.
template <class Warp, PlaneCodec Codec, activation_bits Bits, int Tokens>
struct staged_activations {
  using layout = activation_layout<Codec, Bits, arithmetic::bytes>;
  static constexpr int tiles = layout::tiles_of_tokens(Tokens);
  static constexpr int word_bytes = tiles * layout::words_of_tile * 4;
  static constexpr int factors = Tokens * (1 + layout::classes);
  static constexpr int bytes = word_bytes + (factors * 4 + 15) / 16 * 16;

  /// Begins to copy; the caller closes the group. What belongs to no token is left as it is, or copied as it is.
  /// @param X        with room for whole blocks of `Tokens` tokens
  /// @param staged   `bytes` bytes, 16-byte aligned
  /// @tparam Shares  warps that copy the chunk together
  /// @param share    this warp's
  template <int Shares>
  static LUQ_DEVICE_CODE void request(const arranged_activations& X, int chunk, int first_token, std::byte* staged,
                                      int share) {
    const int first_word = (chunk * X.tiles + layout::tiles_of_tokens(first_token)) * layout::words_of_tile;
    constexpr int copies = word_bytes / (lanes_of_warp * 16);
    Warp::each_lane([&](int lane) {
      const int of_lane = (share * lanes_of_warp + lane) * 4;
      const std::uint32_t* const from = X.words + (first_word + of_lane);
      std::byte* const to = staged + of_lane * 4;
      unrolled<(copies + Shares - 1) / Shares>([&](auto round) {
        constexpr int before = round * Shares * lanes_of_warp * 4;
        if (copies % Shares != 0 && round * Shares + share >= copies) return;
        Warp::template copy_async<16>(to + 4 * before, from + before);
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
