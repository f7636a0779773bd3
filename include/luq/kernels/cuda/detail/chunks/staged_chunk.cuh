// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Asynchronous copies of a chunk of weights (32 rows) and of a chunk of activations from global to shared memory, where
// chunk_product.cuh multiplies them.
//
// Eight lanes copy 128 bytes of weights that are neighbours in global memory. (When each lane copied the words that it
// multiplies, there were four times as many requests to the second level of cache, and half of the bandwidth.) In
// shared memory the words go to slots from which they are read without bank conflicts.
#pragma once

#include <cstddef>
#include <cstdint>

#include "luq/kernels/cuda/detail/activations/activation_layout.cuh"
#include "luq/kernels/cuda/detail/planes/packed_planes.cuh"

namespace luq::cuda::detail {

/// Slot 0 ... 31 in shared memory of the 16 bytes for rows 4 four_rows ... + 3 of one unit. A rotation by 2 unit puts
/// any eight consecutive lanes, writing or reading, into eight different slots modulo 8: no bank conflicts.
/// @param unit       0 ... 3, of the four that are copied together
/// @param four_rows  0 ... 7
[[nodiscard]] LUQ_DEVICE_CODE int staged_place(int unit, int four_rows) {
  return unit * 8 + (four_rows + 2 * unit) % 8;
}

/// 32 rows of a packed matrix, and the address from which each lane copies. Addresses are computed once and not for
/// each chunk: otherwise kernels have many more instructions for addresses than for products.
template <class Warp, PlaneCodec Codec>
struct weight_rows {
  bool exist;
  typename Warp::template per_lane<const std::byte*> words;  ///< in the first tile, of the first units of a plane
  typename Warp::template per_lane<const std::byte*>
      parameters;  ///< 16 bytes, without the offset of parameters in a tile

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
  /// Copies of 16 bytes that each lane makes for all planes.
  static constexpr int copies =
      fours_of_chunk<static_cast<int>(Codec::planes.front())> +
      (Codec::planes.size() == 2 ? fours_of_chunk<static_cast<int>(Codec::planes.back())> : 0);
  static constexpr int code_bytes = copies * lanes_of_warp * 16;
  static constexpr int bytes = code_bytes + most_parameter_bytes;

  /// Begins to copy; the caller closes the group. The memory of units that the chunk does not have is not written.
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
      // There are at most two planes. The copies of the first come first.
      constexpr int of_first = fours_of_chunk<static_cast<int>(Codec::planes.front())>;
      constexpr int of_other = fours_of_chunk<static_cast<int>(Codec::planes.back())>;
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

/// Chunks of activations of `Tokens` tokens, arranged as bytes, which the warps of a block share.
template <class Warp, PlaneCodec Codec, activation_bits Bits, int Tokens>
struct staged_activations {
  using layout = activation_layout<Codec, Bits, arithmetic::bytes>;
  static constexpr int tiles = layout::tiles_of_tokens(Tokens);
  static constexpr int word_bytes = tiles * layout::words_of_tile * 4;
  static constexpr int factors = Tokens * (1 + layout::classes);
  static constexpr int bytes = word_bytes + (factors * 4 + 15) / 16 * 16;

  /// Begins to copy; the caller closes the group. Columns of tokens that do not exist are copied or left as they are.
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

}  // namespace luq::cuda::detail
