// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Products for many tokens, where most of the time goes to multiplying. The warps of a block form a rectangle: each has
// 32 rows and some tokens, and multiplies all chunks. All warps together copy weights and activations into shared
// memory, some chunks ahead.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "luq/kernels/cuda/detail/chunks/chunk_product.cuh"
#include "luq/kernels/cuda/detail/products/output_rows.cuh"

namespace luq::cuda::detail {

/// A block of RowWarps x TokenWarps warps. Each has 32 rows and `Tiles` tiles of columns.
template <class Warp, PlaneCodec CodecType, activation_bits Bits, int RowWarps = 4, int TokenWarps = 1,
          int Tiles = most_tiles<CodecType>>
struct prefill_product {
  using Codec = CodecType;
  static constexpr int row_warps = RowWarps;
  static constexpr int token_warps = TokenWarps;
  static constexpr int warps = row_warps * token_warps;
  static constexpr int half_tiles_of_block = row_warps;

  /// Blocks that should fit on a multiprocessor. A thread then has 128 registers if its warp has up to four tiles.
  static constexpr int blocks_of_multiprocessor = (std::max)(1, (Tiles <= 4 ? 16 : 12) / warps);

  static constexpr int tokens_of_warp = [] {
    using layout = activation_layout<Codec, Bits, arithmetic::bytes>;
    return Tiles * columns_of_tile / (layout::parts * layout::classes);
  }();
  static constexpr int tokens_of_block = token_warps * tokens_of_warp;

  static_assert(most_tokens_of_block % tokens_of_block == 0 && tokens_of_block >= least_tokens_of_block);

  using of_block = staged_activations<Warp, Codec, Bits, tokens_of_block>;
  using of_warp = staged_activations<Warp, Codec, Bits, tokens_of_warp>;
  using chunk = chunk_product<Warp, Codec, Bits, arithmetic::bytes, tokens_of_warp>;

  /// Bytes of shared memory of one stage: what the block multiplies in one chunk.
  static constexpr int stage_bytes = row_warps * chunk::weights::bytes + of_block::bytes;

  /// This warp's share of the copies of one chunk.
  /// @param rows  of this warp
  LUQ_DEVICE_CODE static void request(const packed_planes<Codec>& W, const arranged_activations& X,
                                      const weight_rows<Warp, Codec>& rows, int first_token, int warp, int of_chunk,
                                      std::byte* stage) {
    chunk::weights::template request<token_warps>(W, rows, of_chunk, stage + warp / token_warps * chunk::weights::bytes,
                                                  warp % token_warps);
    of_block::template request<warps>(X, of_chunk, first_token, stage + row_warps * chunk::weights::bytes, warp);
  }

  /// This warp's words of one chunk.
  [[nodiscard]] LUQ_DEVICE_CODE static typename chunk::weight_words words(int warp, const std::byte* stage) {
    return typename chunk::weight_words(stage + warp / token_warps * chunk::weights::bytes);
  }

  /// Adds this warp's product of one chunk.
  LUQ_DEVICE_CODE static void add(const packed_planes<Codec>& W, const typename chunk::weight_words& words, int warp,
                                  const std::byte* stage, typename chunk::sums_of_warp& sums) {
    const std::byte* const activations = stage + row_warps * chunk::weights::bytes;
    const int token_warp = warp % token_warps;
    const std::byte* const x_words = activations + token_warp * of_warp::word_bytes;
    const std::byte* const x_factors = activations + of_block::word_bytes + token_warp * of_warp::factors * 4;
    const typename chunk::in_memory x(reinterpret_cast<const std::uint32_t*>(x_words),
                                      reinterpret_cast<const float*>(x_factors));
    chunk::add(W, words, stage + warp / token_warps * chunk::weights::bytes, x, sums);
  }

  /// Writes this warp's outputs.
  LUQ_DEVICE_CODE static void finish(const packed_planes<Codec>& W, int tokens, int first_half_tile, int first_token,
                                     int warp, typename chunk::sums_of_warp& sums, const output_rows& out) {
    chunk::complete(sums);
    Warp::each_lane([&](int lane) {
      const int first_row = (first_half_tile + warp / token_warps) * rows_of_warp + lane / 4 * rows_of_lane;
      chunk::each_token(lane, [&](auto i, int token_of_warp) {
        const int token = first_token + warp % token_warps * tokens_of_warp + token_of_warp;
        if (token >= tokens) return;
        unrolled<rows_of_lane>([&](auto r) {
          const int row = first_row + r;
          if (row >= W.rows) return;
          out.write(token, row, sums[lane].value[r][i] + out.bias_of(row));
        });
      });
    });
  }
};

}  // namespace luq::cuda::detail
