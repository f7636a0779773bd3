// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A chunk of 32 rows of weights, and a chunk of activations, on their way from global to shared memory: where they go,
// and the asynchronous copies that bring them there. chunk_product.cuh multiplies them.
//
// Words of weights are copied by the lane that will multiply them, to a place of its own: a warp reads them from shared
// memory without conflicts of banks, whatever their order in memory. All else is shared by the warp.
#pragma once

#include "luq/kernels/cuda/arranged_activations.cuh"

namespace luq::cuda {

/// 32 rows of a packed matrix, and where in them each lane begins to read: kernels have many more instructions for
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
      words[lane] = tiles + (lane % 4 * static_cast<int>(tile_rows) + first + lane / 4 * rows_of_lane) * 4;
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
    each_copy([&](auto p, auto four, auto copy) {
      if (Shares > 1 && copy % Shares != share) return;
      const int first_unit = (place.of_group * fours_of_chunk<Codec::planes[p]> + four) * 4;
      const int offset = tile + shape.planes[p].offset + first_unit * static_cast<int>(tile_rows) * 4;
      const int units = shape.planes[p].units - first_unit;
      Warp::each_lane([&](int lane) {
        if (lane % 4 >= units) return;
        Warp::template copy_async<16>(staged + (copy * lanes_of_warp + lane) * 16, rows.words[lane] + offset);
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
    return load<lane_words>(staged + (copy * lanes_of_warp + lane) * 16);
  }

 private:
  /// Calls body(plane, four, copy) with constants for every copy.
  template <class Body>
  static LUQ_DEVICE_CODE void each_copy(const Body& body) {
    each_copy_from<0, 0, 0>(body);
  }
  template <int Plane, int Four, int Copy, class Body>
  static LUQ_DEVICE_CODE void each_copy_from(const Body& body) {
    if constexpr (Plane < static_cast<int>(Codec::planes.size())) {
      body(std::integral_constant<int, Plane>(), std::integral_constant<int, Four>(),
           std::integral_constant<int, Copy>());
      constexpr bool last = Four + 1 == fours_of_chunk<Codec::planes[Plane]>;
      each_copy_from<last ? Plane + 1 : Plane, last ? 0 : Four + 1, Copy + 1>(body);
    }
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
  /// @tparam Shares  warps that copy the chunk together
  /// @param staged   `bytes` bytes, 16-byte aligned
  /// @param share    this warp's
  template <int Shares = 1>
  static LUQ_DEVICE_CODE void request(const arranged_activations& X, int chunk, int first_token, std::byte* staged,
                                      int share = 0) {
    const int tokens = X.tokens - first_token;
    const int first_word = (chunk * X.tiles + layout::tiles_of_tokens(first_token)) * layout::words_of_tile;
    constexpr int copy_words = Arithmetic == arithmetic::bytes ? 4 : layout::parts;
    constexpr int copies = tiles * layout::words_of_tile / (lanes_of_warp * copy_words);
    unrolled<(copies + Shares - 1) / Shares>([&](auto round) {
      const int copy = round * Shares + share;
      if (copies % Shares != 0 && copy >= copies) return;
      Warp::each_lane([&](int lane) {
        const int word = (copy * lanes_of_warp + lane) * copy_words;
        const int value = Arithmetic == arithmetic::bytes
                              ? (copy / layout::all_reads * columns_of_tile + lane / 4) / layout::parts
                              : copy;
        if (value < tokens * layout::classes) Warp::template copy_async<4 * copy_words>(staged + 4 * word, X.words + (first_word + word));
      });
    });
    const int first_factor = (chunk * X.tokens + first_token) * (1 + layout::classes);
    constexpr int of_round = Shares * lanes_of_warp;
    unrolled<(factors + of_round - 1) / of_round>([&](auto round) {
      Warp::each_lane([&](int lane) {
        const int i = round * of_round + share * lanes_of_warp + lane;
        if (i < factors && i < tokens * (1 + layout::classes)) {
          Warp::template copy_async<4>(staged + word_bytes + 4 * i, X.factors + (first_factor + i));
        }
      });
    });
  }
};

}  // namespace luq::cuda
