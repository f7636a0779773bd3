// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Which kernels compute a product, by the number of tokens and the size of matrices, and their launches.
#pragma once

#ifndef __CUDACC__
#error "luq's CUDA kernels: compile with nvcc, or link luq::compiled_cuda, which has them compiled"
#endif

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "luq/core/cuda/device_memory.cuh"
#include "luq/kernels/cuda/detail/products/launch_products.cuh"
#include "luq/kernels/cuda/templates/product_kernels.cuh"

namespace luq::cuda::detail {

/// Up to so many tokens are multiplied by the kernels for few tokens.
inline constexpr int most_decode_tokens = 16;

/// @tparam Product  a decode_product or a prefill_product, which `kernel` computes
template <class Product, class Kernel, PlaneCodec Codec>
void launch_product(Kernel* kernel, int warps, int shared_bytes, product_batch<Codec>& batch,
                    const arranged_activations& X, cudaStream_t stream, const char* what) {
  for (int i = 0; i < batch.count; ++i) {
    constexpr int half_tiles = Product::half_tiles_of_block;
    batch.first_block[i + 1] = batch.first_block[i] + (batch.W[i].half_tiles() + half_tiles - 1) / half_tiles;
  }
  const int passes = (X.tokens + Product::tokens_of_block - 1) / Product::tokens_of_block;
  const dim3 blocks(static_cast<unsigned>(batch.first_block[batch.count]), static_cast<unsigned>(passes));
  launch_dependent(kernel, blocks, warps * lanes_of_warp, static_cast<std::size_t>(shared_bytes), stream, what, batch,
                   X);
}

template <activation_bits Bits, PlaneCodec Codec>
void launch_prefill(product_batch<Codec>& batch, const arranged_activations& X, cudaStream_t stream) {
  using kernel = prefill_product<device_warp, Codec, Bits>;
  constexpr int stages = 3;
  launch_product<kernel>(prefill_kernel<kernel, stages>, kernel::warps, stages * kernel::stage_bytes, batch, X, stream,
                         "launch of a product of many tokens");
}

/// Half row tiles of all matrices for each multiprocessor of the current device.
template <PlaneCodec Codec>
[[nodiscard]] double half_tiles_of_multiprocessor(const product_batch<Codec>& batch) {
  int device = 0;
  int multiprocessors = 1;
  constexpr const char* what = "properties of the device";
  require_success(cudaGetDevice(&device), what);
  require_success(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device), what);
  double half_tiles = 0;
  for (int i = 0; i < batch.count; ++i) half_tiles += batch.W[i].half_tiles();
  return half_tiles / multiprocessors;
}

/// A shape of blocks for few tokens: warps of a block, stages of the ring of each warp, and half tiles of a block.
template <int Warps, int Depth, int Halves>
struct decode_blocks {
  /// Whether shared memory suffices on every GPU from sm_80 on. sm_86 and sm_89 have 99 KiB for a block.
  template <PlaneCodec Codec>
  static constexpr bool fit = Warps * Depth * Halves * staged_weights<device_warp, Codec>::bytes <= 99 * 1024;
};

/// Launches the kernel for few tokens: the smallest token block (Tokens, 2 Tokens, ... Most) that holds them all.
///
/// The more blocks there are for a multiprocessor, the fewer warps a block should have: all warps together request
/// enough ahead, and blocks of few warps leave room in which the next kernel begins. (bench/cuda/README.md has the
/// figures.)
template <activation_bits Bits, arithmetic Arithmetic, int Tokens, int Most, PlaneCodec Codec>
void launch_decode(product_batch<Codec>& batch, const arranged_activations& X, cudaStream_t stream) {
  if constexpr (2 * Tokens <= Most) {
    if (X.tokens > Tokens) return launch_decode<Bits, Arithmetic, 2 * Tokens, Most>(batch, X, stream);
  }
  const double half_tiles = half_tiles_of_multiprocessor(batch);
  const auto launch = [&]<int Warps, int Depth, int Halves>(decode_blocks<Warps, Depth, Halves>) {
    using kernel = decode_product<device_warp, Codec, Bits, Arithmetic, Tokens, Depth, Halves>;
    launch_product<kernel>(decode_kernel<kernel, Warps>, Warps, Warps * kernel::bytes_of_warp, batch, X, stream,
                           "launch of a product of few tokens");
  };
  constexpr bool one_tile = activation_layout<Codec, Bits, Arithmetic>::tiles_of_tokens(Tokens) == 1;
  if constexpr ((Tokens <= 4 || one_tile) && decode_blocks<16, 2, 1>::template fit<Codec>) {
    if (half_tiles <= 1.5) return launch(decode_blocks<16, 2, 1>());
  }
  if constexpr (Tokens == 1) {
    if (half_tiles > 10) return launch(decode_blocks<4, 4, 2>());
    if (half_tiles > 4) return launch(decode_blocks<4, 4, 1>());
  }
  launch(std::conditional_t<decode_blocks<8, 3, 1>::template fit<Codec>, decode_blocks<8, 3, 1>,
                            decode_blocks<8, 2, 1>>());
}

template <PlaneCodec Codec, activation_bits Bits>
void launch_arrangement(const packed_planes<Codec>& W, const activation_rows& X, const arranged_activations& into,
                        cudaStream_t stream) {
  const int warps = into.tokens * W.chunks();
  if (warps == 0) return;
  with_arithmetic<Codec>(into.tokens, [&](auto kind) {
    const dim3 blocks(static_cast<unsigned>((warps + arranging_warps - 1) / arranging_warps));
    launch_dependent(arrange_kernel<Bits, kind, Codec>, blocks, arranging_warps * lanes_of_warp, 0, stream,
                     "launch of the arrangement of activations", W, X, into);
  });
}

template <PlaneCodec Codec, activation_bits Bits>
void launch_products(product_batch<Codec> batch, const arranged_activations& X, cudaStream_t stream) {
  if (X.tokens > most_decode_tokens) return launch_prefill<Bits>(batch, X, stream);
  with_arithmetic<Codec>(X.tokens, [&](auto kind) {
    if constexpr (kind == arithmetic::bit_serial) {
      launch_decode<Bits, kind, 1, most_bit_serial_tokens>(batch, X, stream);
    } else {
      using layout = activation_layout<Codec, Bits, kind>;
      constexpr int least = columns_of_tile / (layout::parts * layout::classes);
      launch_decode<Bits, kind, least, (std::min)(most_tiles<Codec> * least, most_decode_tokens)>(batch, X, stream);
    }
  });
}

}  // namespace luq::cuda::detail
