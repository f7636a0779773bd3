// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Products for few tokens, where reading the weights is what takes time. A block has 32 rows; its warps share out the
// chunks and add up in the end, in the order of warps: the same bits every time. Each warp copies the chunks that it
// will multiply next into a ring of `Depth` stages of its own, so that no warp waits for another before the end.
//
// Weights are asked for before the activations are known to be there: a kernel may be launched while the one that makes
// its activations runs (programmatic dependent launch), and reads weights meanwhile.
#pragma once

#include "luq/kernels/cuda/chunk_product.cuh"

namespace luq::cuda {

/// 32 rows times `Tokens` tokens.
template <class Warp, PlaneCodec CodecType, activation_bits Bits, arithmetic Arithmetic, int Tokens, int Depth>
struct decode_product {
  using Codec = CodecType;
  static constexpr int tokens_of_block = Tokens;
  using chunk = chunk_product<Warp, Codec, Bits, Arithmetic, Tokens>;

  /// Bytes of shared memory that a warp has: its ring, and in its place in the end its sums, [tokens][rows] floats.
  [[nodiscard]] static LUQ_DEVICE_CODE int bytes_of_warp(const packed_planes<Codec>& W) {
    const int ring = Depth * (chunk::weights::bytes(W) + chunk::activations::bytes);
    constexpr int sums = rows_of_warp * Tokens * 4;
    return ring > sums ? ring : sums;
  }

  /// What warp `warp` of a block of `warps` does: its chunks, and their sums.
  /// @param memory            of the block: bytes_of_warp() for each warp, 16-byte aligned
  /// @param wait_for_inputs   returns when X is there
  template <class Wait>
  LUQ_DEVICE_CODE static void accumulate(const packed_planes<Codec>& W, const arranged_activations& X, int half_tile,
                                         int first_token, int warp, int warps, std::byte* memory,
                                         const Wait& wait_for_inputs) {
    const int stage_bytes = chunk::weights::bytes(W) + chunk::activations::bytes;
    std::byte* const ring = memory + warp * bytes_of_warp(W);
    const int chunks = W.chunks();
    const auto weights_of = [&](int stage) { return ring + stage * stage_bytes; };
    const auto activations_of = [&](int stage) { return weights_of(stage) + chunk::weights::bytes(W); };

    unrolled<Depth - 1>([&](auto stage) {
      const int ahead = warp + stage * warps;
      if (ahead < chunks) chunk::weights::request(W, half_tile, ahead, weights_of(stage));
    });
    wait_for_inputs();
    unrolled<Depth - 1>([&](auto stage) {
      const int ahead = warp + stage * warps;
      if (ahead < chunks) chunk::activations::request(X, ahead, first_token, activations_of(stage));
      Warp::close_group();
    });
    typename chunk::sums_of_warp sums;
    chunk::clear(sums);
    int stage = 0;
    for (int next = warp; next < chunks; next += warps) {
      Warp::template wait_for_copies<Depth - 2>();
      Warp::synchronize();  // all lanes are done with the stage that is asked for now, and see this one
      const int ahead = next + (Depth - 1) * warps;
      if (ahead < chunks) {
        const int free = stage == 0 ? Depth - 1 : stage - 1;
        chunk::weights::request(W, half_tile, ahead, weights_of(free));
        chunk::activations::request(X, ahead, first_token, activations_of(free));
      }
      Warp::close_group();
      const std::byte* const activations = activations_of(stage);
      const auto* const factors = reinterpret_cast<const float*>(activations + chunk::activations::word_bytes);
      chunk::add(W, next, weights_of(stage), activations, factors, sums);
      stage = stage + 1 == Depth ? 0 : stage + 1;
    }
    chunk::complete(sums);
    Warp::synchronize();
    Warp::each_lane([&](int lane) {
      auto* const of_warp = reinterpret_cast<float*>(ring);
      chunk::each_token(lane, [&](auto i, int token) {
        unrolled<rows_of_lane>([&](auto r) {
          of_warp[token * rows_of_warp + lane / 4 * rows_of_lane + r] = sums[lane].value[r][i];
        });
      });
    });
  }

  /// What thread `thread` of a block of `threads` does when all warps are done: outputs from the sums of warps.
  /// @param bias  [rows], or null
  /// @param Y     [tokens x rows], `stride` elements from row to row
  template <class Output, class Bias>
  LUQ_DEVICE_CODE static void finish(const packed_planes<Codec>& W, int tokens, int half_tile, int first_token,
                                     int thread, int threads, int warps, const std::byte* memory, const Bias* bias,
                                     Output* Y, std::int64_t stride) {
    for (int i = thread; i < rows_of_warp * Tokens; i += threads) {
      const int row = half_tile * rows_of_warp + i % rows_of_warp;
      const int token = first_token + i / rows_of_warp;
      if (row >= W.rows || token >= tokens) continue;
      float y = bias != nullptr ? to_float(bias[row]) : 0.0f;
      for (int warp = 0; warp < warps; ++warp) y += load<float>(memory + warp * bytes_of_warp(W) + i * 4);
      Y[token * stride + row] = static_cast<Output>(y);
    }
  }
};

}  // namespace luq::cuda
