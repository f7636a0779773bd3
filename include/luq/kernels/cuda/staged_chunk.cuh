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

/// Chunks of weights of 32 rows.
template <class Warp, PlaneCodec Codec>
struct staged_weights {
  /// Copies of 16 bytes to a lane that its words take: of all planes.
  static constexpr int copies = [] {
    int sum = 0;
    for (const int radix : Codec::planes) {
      sum += radix == 2     ? fours_of_chunk<2>
             : radix == 3   ? fours_of_chunk<3>
             : radix == 4   ? fours_of_chunk<4>
             : radix == 16  ? fours_of_chunk<16>
             : radix == 256 ? fours_of_chunk<256>
                            : 0;
    }
    return sum;
  }();
  static constexpr int code_bytes = copies * lanes_of_warp * 16;

  [[nodiscard]] static LUQ_DEVICE_CODE int bytes(const packed_planes<Codec>& W) {
    return code_bytes + W.parameter_bytes();
  }

  /// Begins to copy; the caller closes the group. Does nothing if there are no such rows.
  /// @param staged  bytes() bytes, 16-byte aligned
  /// @param share   of `shares` warps that copy the chunk together, this one's
  static LUQ_DEVICE_CODE void request(const packed_planes<Codec>& W, int half_tile, int chunk, std::byte* staged,
                                      int share = 0, int shares = 1) {
    if (half_tile >= W.half_tiles()) return;
    const int g = W.chunks_of_group == 1 ? chunk : chunk / W.chunks_of_group;
    const int of_group = W.chunks_of_group == 1 ? 0 : chunk % W.chunks_of_group;
    const int k = W.columns_of(g);
    const int first_row = half_tile % 2 * rows_of_warp;
    const std::byte* plane = W.tile(half_tile / 2, g);
    int copy = 0;
    unrolled<static_cast<int>(Codec::planes.size())>([&](auto p) {
      constexpr int radix = Codec::planes[p];
      const plane_units<radix> units{k};
      unrolled<fours_of_chunk<radix>>([&](auto four) {
        if (shares == 1 || copy % shares == share) {
          Warp::each_lane([&](int lane) {
            request_unit(plane, units, (of_group * fours_of_chunk<radix> + four) * 4 + lane % 4,
                         first_row + lane / 4 * rows_of_lane, staged + (copy * lanes_of_warp + lane) * 16);
          });
        }
        ++copy;
      });
      plane += static_cast<int>(tile_rows) * units.row_bytes();
    });
    if (share == 0) request_parameters(W.parameters, plane, first_row, staged + code_bytes);
  }

  /// A lane's words of the i-th copy, as the next product takes them.
  /// @param bytes  of each row, where the lane's unit is one of 1 to 3 bytes; else 4
  [[nodiscard]] static LUQ_DEVICE_CODE lane_words words(const std::byte* staged, int copy, int lane, int bytes) {
    auto result = load<lane_words>(staged + (copy * lanes_of_warp + lane) * 16);
    if (bytes < 4) {
      // Rows without gaps: row r begins at byte r * bytes.
      const lane_words packed = result;
      unrolled<rows_of_lane>([&](auto r) {
        const int bit = 8 * bytes * r;
        const int word = bit / 32;
        const std::uint32_t low = word == 0 ? packed.word[0] : word == 1 ? packed.word[1] : packed.word[2];
        const std::uint32_t high = word == 0 ? packed.word[1] : packed.word[2];
        result.word[r] = low >> (bit % 32);
        if (bit % 32 != 0) result.word[r] |= high << (32 - bit % 32);
      });
    }
    return result;
  }

 private:
  template <int Radix>
  static LUQ_DEVICE_CODE void request_unit(const std::byte* plane, const plane_units<Radix>& units, int unit, int row,
                                           std::byte* staged) {
    const int rows = static_cast<int>(tile_rows);
    if (units.tail_bytes() != 0 && unit == units.words()) {
      const std::byte* const tail = plane + units.words() * rows * 4 + row * units.tail_bytes();
      for (int b = 0; b < units.tail_bytes(); ++b) Warp::template copy_async<4>(staged + 4 * b, tail + 4 * b, true);
    } else {
      const bool exists = unit < units.words();
      Warp::template copy_async<16>(staged, plane + (exists ? (unit * rows + row) * 4 : 0), exists);
    }
  }

  /// 32 of the 64 rows of every parameter.
  static LUQ_DEVICE_CODE void request_parameters(const parameter_sizes& sizes, const std::byte* parameters,
                                                 int first_row, std::byte* staged) {
    const int scale_bytes = rows_of_warp * sizes.scale_bytes;
    const int copies_of_scale = scale_bytes / 16;
    const int packed_words = rows_of_warp * sizes.bits / 32;
    Warp::each_lane([&](int lane) {
      for (int i = lane; i < sizes.scales * copies_of_scale; i += lanes_of_warp) {
        const int from = i / copies_of_scale * 2 * scale_bytes + i % copies_of_scale * 16;
        Warp::template copy_async<16>(staged + i * 16, parameters + from + first_row * sizes.scale_bytes, true);
      }
      const std::byte* const packed = parameters + 2 * sizes.scales * scale_bytes + first_row * sizes.bits / 8;
      for (int i = lane; i < packed_words; i += lanes_of_warp) {
        Warp::template copy_async<4>(staged + sizes.scales * scale_bytes + i * 4, packed + i * 4, true);
      }
    });
  }
};

/// Chunks of activations, of `Tokens` tokens.
template <class Warp, PlaneCodec Codec, activation_bits Bits, arithmetic Arithmetic, int Tokens>
struct staged_activations {
  using layout = activation_layout<Codec, Bits, Arithmetic>;
  static constexpr int tiles = layout::tiles_of_tokens(Tokens);
  static_assert(Arithmetic == arithmetic::bit_serial ||
                Tokens * layout::classes * layout::parts == tiles * columns_of_tile, "whole tiles");
  static constexpr int word_bytes = tiles * layout::words_of_tile * 4;
  static constexpr int factors = Tokens * (1 + layout::classes);
  static constexpr int bytes = word_bytes + (factors * 4 + 15) / 16 * 16;

  /// Begins to copy; the caller closes the group. What belongs to no token becomes 0.
  /// @param staged  `bytes` bytes, 16-byte aligned
  /// @param share   of `shares` warps that copy the chunk together, this one's
  static LUQ_DEVICE_CODE void request(const arranged_activations& X, int chunk, int first_token, std::byte* staged,
                                      int share = 0, int shares = 1) {
    const int first_tile = layout::tiles_of_tokens(first_token);
    const int tokens = X.tokens - first_token;
    const std::uint32_t* const words =
        X.words + (static_cast<std::int64_t>(chunk) * X.tiles + first_tile) * layout::words_of_tile;
    constexpr int copy_words = Arithmetic == arithmetic::bytes ? 4 : layout::parts;
    constexpr int copies = tiles * layout::words_of_tile / (lanes_of_warp * copy_words);
    unrolled<copies>([&](auto copy) {
      if (shares != 1 && copy % shares != share) return;
      Warp::each_lane([&](int lane) {
        const int word = (copy * lanes_of_warp + lane) * copy_words;
        constexpr int first_column = copy / layout::all_reads * columns_of_tile;
        const int value = Arithmetic == arithmetic::bytes ? (first_column + lane / 4) / layout::parts : int{copy};
        const bool exists = value < tokens * layout::classes;
        Warp::template copy_async<4 * copy_words>(staged + 4 * word, words + (exists ? word : 0), exists);
      });
    });
    const float* const from =
        X.factors + (static_cast<std::int64_t>(chunk) * X.tokens + first_token) * (1 + layout::classes);
    Warp::each_lane([&](int lane) {
      for (int i = share * lanes_of_warp + lane; i < factors; i += shares * lanes_of_warp) {
        const bool exists = i < tokens * (1 + layout::classes);
        Warp::template copy_async<4>(staged + word_bytes + 4 * i, from + (exists ? i : 0), exists);
      }
    });
  }
};

}  // namespace luq::cuda
