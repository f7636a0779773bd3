// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Products for few tokens, where most of the time goes to reading weights.
//
// A block has 32 or 64 rows. Its warps share the chunks. Their sums are added in the end in the order of warps, so that
// results are the same bits every time. Each warp has a ring of `Depth` stages in shared memory, into which it copies
// the weights that it multiplies next; so no warp waits for another before the end. Activations are read into
// registers, one chunk ahead. All blocks of a multiprocessor read the same activations, and find them in its first
// level of cache.
//
// Copies of weights begin before the activations are there: a kernel may be launched while the kernel that writes its
// activations runs (launch.cuh), and reads weights meanwhile.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "luq/kernels/cuda/detail/chunks/chunk_product.cuh"
#include "luq/kernels/cuda/detail/products/output_rows.cuh"

namespace luq::cuda::detail {

/// A block of 32 Halves rows and `Tokens` tokens.
template <class Warp, PlaneCodec CodecType, activation_bits Bits, arithmetic Arithmetic, int Tokens, int Depth,
          int Halves>
struct decode_product {
  using Codec = CodecType;
  static constexpr int tokens_of_block = Tokens;
  static constexpr int half_tiles_of_block = Halves;
  static constexpr int rows_of_block = Halves * rows_of_warp;
  using layout = activation_layout<Codec, Bits, Arithmetic>;
  using chunk = chunk_product<Warp, Codec, Bits, Arithmetic, Tokens>;

  /// Bytes of shared memory of a warp. They hold its ring, and in the end its sums, [tokens][rows] floats.
  static constexpr int stage_bytes = Halves * chunk::weights::bytes;
  static constexpr int bytes_of_warp = (std::max)(Depth * stage_bytes, rows_of_block * Tokens * 4);

  /// Multiplies the chunks of warp `warp` of a block of `warps`, and leaves their sums in memory.
  /// @param half_tile         the first of the block
  /// @param memory            of the block: bytes_of_warp for each warp, 16-byte aligned
  /// @param wait_for_inputs   returns when X is there
  template <class Wait>
  LUQ_DEVICE_CODE static void accumulate(const packed_planes<Codec>& W, const arranged_activations& X, int half_tile,
                                         int first_token, int warp, int warps, std::byte* memory,
                                         const Wait& wait_for_inputs) {
    const rows_of_block_in_memory rows(W, half_tile);
    std::byte* const ring = memory + warp * bytes_of_warp;
    const int chunks = W.chunks();
    unrolled<Depth - 1>([&](auto stage) {
      const int ahead = warp + stage * warps;
      if (ahead < chunks) rows.request(W, ahead, ring + stage * stage_bytes);
      Warp::close_group();
    });
    wait_for_inputs();
    const int words_of_chunk = X.tiles * layout::words_of_tile;
    const int factors_of_chunk = X.tokens * (1 + layout::classes);
    typename chunk::in_memory place(
        X.words + warp * words_of_chunk + layout::tiles_of_tokens(first_token) * layout::words_of_tile,
        X.factors + warp * factors_of_chunk + first_token * (1 + layout::classes));
    typename chunk::in_registers x_of_next;
    if (warp < chunks) x_of_next = {place, X.tokens - first_token};
    typename chunk::sums_of_warp sums[Halves];
    unrolled<Halves>([&](auto half) { chunk::clear(sums[half]); });
    std::byte* stage = ring;
    std::byte* free = ring + (Depth - 1) * stage_bytes;
    for (int next = warp; next < chunks; next += warps) {
      const typename chunk::in_registers x = x_of_next;
      place.move(warps * words_of_chunk, warps * factors_of_chunk);
      if (next + warps < chunks) x_of_next = {place, X.tokens - first_token};
      Warp::template wait_for_copies<Depth - 2>();
      Warp::synchronize();  // all lanes are done with the stage that is requested now, and see this one
      const int ahead = next + (Depth - 1) * warps;
      if (ahead < chunks) rows.request(W, ahead, free);
      Warp::close_group();
      unrolled<Halves>([&](auto half) {
        const std::byte* const staged = stage + half * chunk::weights::bytes;
        chunk::add(W, typename chunk::weight_words(staged), staged, x, sums[half]);
      });
      free = stage;
      stage = stage == ring + (Depth - 1) * stage_bytes ? ring : stage + stage_bytes;
    }
    unrolled<Halves>([&](auto half) { chunk::complete(sums[half]); });
    Warp::synchronize();
    Warp::each_lane([&](int lane) {
      auto* const of_warp = reinterpret_cast<float*>(ring);
      unrolled<Halves>([&](auto half) {
        chunk::each_token(lane, [&](auto i, int token) {
          unrolled<rows_of_lane>([&](auto r) {
            const int row = half * rows_of_warp + lane / 4 * rows_of_lane + r;
            of_warp[token * rows_of_block + row] = sums[half][lane].value[r][i];
          });
        });
      });
    });
  }

  /// Adds the sums of warps and writes outputs, those of thread `thread` of a block of `threads`. All warps are done.
  LUQ_DEVICE_CODE static void finish(const packed_planes<Codec>& W, int tokens, int half_tile, int first_token,
                                     int thread, int threads, int warps, const std::byte* memory,
                                     const output_rows& out) {
    // Not unrolled: it would take more registers than the products do, and fewer blocks would fit on a multiprocessor.
#ifdef __CUDACC__
#pragma unroll 1
#endif
    for (int i = thread; i < rows_of_block * Tokens; i += threads) {
      const int row = half_tile * rows_of_warp + i % rows_of_block;
      const int token = first_token + i / rows_of_block;
      if (row >= W.rows || token >= tokens) continue;
      float y = out.bias_of(row);
      for (int warp = 0; warp < warps; ++warp) y += load<float>(memory + warp * bytes_of_warp + i * 4);
      out.write(token, row, y);
    }
  }

 private:
  struct rows_of_block_in_memory {
    weight_rows<Warp, Codec> half[Halves];

    LUQ_DEVICE_CODE rows_of_block_in_memory(const packed_planes<Codec>& W, int half_tile)
        : rows_of_block_in_memory(W, half_tile, std::make_integer_sequence<int, Halves>()) {}

    LUQ_DEVICE_CODE void request(const packed_planes<Codec>& W, int of_chunk, std::byte* staged) const {
      using weights = typename chunk::weights;
      unrolled<Halves>([&](auto h) { weights::request(W, half[h], of_chunk, staged + h * weights::bytes); });
    }

   private:
    template <int... Half>
    LUQ_DEVICE_CODE rows_of_block_in_memory(const packed_planes<Codec>& W, int half_tile,
                                            std::integer_sequence<int, Half...>)
        : half{{W, half_tile + Half}...} {}
  };
};

}  // namespace luq::cuda::detail
