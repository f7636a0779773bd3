// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Products with packed matrices on a GPU, for code that nvcc compiles (C++20, --expt-relaxed-constexpr, sm_80 or
// later):
//
//   const luq::cuda::device_matrix W(packed, stream);                        // once: the stored bytes
//   luq::cuda::matmul(W, X, tokens, Y, {.bias = b}, stream, bits);           // Y [tokens x rows] = X W^T + bias
//
//   const auto arranged = luq::cuda::arrange<luq::cuda::activation_bits::sixteen>(W, X, tokens, cols, stream);
//   luq::cuda::matmul(W, arranged, Y, {}, stream);                           // X arranged once for several matrices
//
// X, Y and bias are in device memory, of float, luq::half or luq::bfloat16, which have the bits of __half and
// __nv_bfloat16. Everything happens in the order of the caller's stream and nothing waits for it. Sums are of integers
// within a group and of floats between groups, the same bits every time.
//
// Not a graph of kernels, and not for several devices: matrices live on the device that was current when they were
// made.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>

#include "luq/core/cuda/device_memory.cuh"
#include "luq/kernels/cuda/arranged_activations.cuh"
#include "luq/kernels/cuda/plane_product.cuh"

namespace luq::cuda {

/// A packed matrix in device memory.
template <PlaneCodec Codec>
class device_matrix {
 public:
  /// Copies the bytes of W, which may be freed when this returns.
  /// @throws luq::error device_failure; unsupported as describe_planes()
  device_matrix(const packed_matrix<Codec>& W, cudaStream_t stream)
      : planes_(describe_planes(W)), tiles_(std::span<const std::byte>(padded_tiles(W)), stream) {
    planes_.tiles = tiles_.data();
    const stored_column_order order = order_of_columns(W);
    stored_columns_ = {std::span<const std::int32_t>(order.columns), stream};
    class_borders_ = {std::span<const std::int32_t>(order.borders), stream};
    planes_.stored_columns = stored_columns_.data();
    planes_.class_borders = class_borders_.data();
  }

  [[nodiscard]] index rows() const { return planes_.rows; }
  [[nodiscard]] index cols() const { return planes_.cols; }
  [[nodiscard]] const packed_planes<Codec>& planes() const { return planes_; }

 private:
  packed_planes<Codec> planes_;
  device_array<std::byte> tiles_;
  device_array<std::int32_t> stored_columns_;
  device_array<std::int32_t> class_borders_;
};

/// Activations arranged for a matrix, and for others of its codec and shape of columns if the codec has one class.
template <PlaneCodec Codec, activation_bits Bits>
class device_activations {
 public:
  device_activations(int tokens, const packed_planes<Codec>& W, cudaStream_t stream) {
    using layout = activation_layout<Codec, Bits>;
    view_.layout = {W.group, layout::tiles_of(tokens)};
    view_.tokens = tokens;
    const auto groups = static_cast<std::size_t>(W.groups);
    words_ = {
        groups * static_cast<std::size_t>(view_.layout.tiles) * static_cast<std::size_t>(view_.layout.words_of_tile()),
        stream};
    scales_ = {groups * static_cast<std::size_t>(tokens), stream};
    sums_ = {groups * static_cast<std::size_t>(tokens) * static_cast<std::size_t>(layout::classes), stream};
    view_.words = words_.data();
    view_.scales = scales_.data();
    view_.sums = sums_.data();
  }

  [[nodiscard]] const arranged_activations<Codec, Bits>& view() const { return view_; }

 private:
  arranged_activations<Codec, Bits> view_;
  device_array<std::uint32_t> words_;
  device_array<float> scales_;
  device_array<float> sums_;
};

namespace detail {

inline constexpr int arranging_warps = 4;  ///< of a block

template <PlaneCodec Codec, activation_bits Bits, class Stored>
__global__ void arrange_kernel(packed_planes<Codec> W, const Stored* X, std::int64_t stride,
                               arranged_activations<Codec, Bits> out) {
  const int token = static_cast<int>(blockIdx.y) * arranging_warps + static_cast<int>(threadIdx.x) / lanes_of_warp;
  if (token >= out.layout.tiles * activation_layout<Codec, Bits>::tokens_of_tile) return;
  arrange_token<device_warp>(W, X, stride, static_cast<int>(blockIdx.x), token, out);
}

template <int Tiles, PlaneCodec Codec, activation_bits Bits, class Bias, class Output>
__global__ void product_kernel(packed_planes<Codec> W, arranged_activations<Codec, Bits> X, const Bias* bias, Output* Y,
                               std::int64_t stride) {
  extern __shared__ float partial[];
  using product = plane_product<device_warp, Codec, Bits, Tiles>;
  const int half_tile = static_cast<int>(blockIdx.x);
  const int first_tile = static_cast<int>(blockIdx.y) * Tiles;
  const int thread = static_cast<int>(threadIdx.x);
  const int threads = static_cast<int>(blockDim.x);
  const int warps = threads / lanes_of_warp;
  product::accumulate(W, X, half_tile, first_tile, thread / lanes_of_warp, warps, partial);
  __syncthreads();
  product::finish(W, X.tokens, half_tile, first_tile, thread, threads, warps, partial, bias, Y, stride);
}

/// Warps of a block that computes `tiles` tiles of columns: their sums are to fit 48 KiB of shared memory.
[[nodiscard]] constexpr int warps_of_block(int tiles) {
  return tiles <= 2 ? 16 : tiles == 4 ? 8 : 4;
}

template <int Tiles, PlaneCodec Codec, activation_bits Bits, class Bias, class Output>
void launch_product(const packed_planes<Codec>& W, const arranged_activations<Codec, Bits>& X, const Bias* bias,
                    Output* Y, std::int64_t stride, cudaStream_t stream) {
  constexpr int warps = warps_of_block(Tiles);
  constexpr std::size_t shared = sizeof(float) * warps * plane_product<device_warp, Codec, Bits, Tiles>::partial_floats;
  static_assert(shared <= 48 * 1024);
  const dim3 blocks(static_cast<unsigned>((W.rows + rows_of_block - 1) / rows_of_block),
                    static_cast<unsigned>((X.layout.tiles + Tiles - 1) / Tiles));
  product_kernel<Tiles><<<blocks, warps * lanes_of_warp, shared, stream>>>(W, X, bias, Y, stride);
  require_success(cudaGetLastError(), "launch of a product");
}

/// Calls launch(std::integral_constant<int, tiles>()) for the number of tiles that blocks compute.
template <int Tiles, class Launch>
void with_tiles(int tiles, const Launch& launch) {
  if (tiles == Tiles) return launch(std::integral_constant<int, Tiles>());
  if constexpr (Tiles > 1) with_tiles<Tiles / 2>(tiles, launch);
}

}  // namespace detail

/// What a product may have beside its factors.
template <class Bias = float>
struct product_options {
  const Bias* bias = nullptr;  ///< [rows] in device memory, added to every token; null for none
  std::int64_t Y_stride = 0;   ///< elements from row to row of Y; 0 for rows without gaps
};

/// Arranges activations for a matrix.
/// @param X        [tokens x cols] in device memory
/// @param X_stride elements from row to row of X
/// @throws luq::error device_failure
template <activation_bits Bits, PlaneCodec Codec, class Stored>
[[nodiscard]] device_activations<Codec, Bits> arrange(const device_matrix<Codec>& W, const Stored* X, int tokens,
                                                      std::int64_t X_stride, cudaStream_t stream) {
  LUQ_ASSERT(tokens >= 0 && X_stride >= 0);
  device_activations<Codec, Bits> result(tokens, W.planes(), stream);
  const int columns = result.view().layout.tiles * activation_layout<Codec, Bits>::tokens_of_tile;
  if (tokens == 0 || W.planes().groups == 0) return result;
  const dim3 blocks(static_cast<unsigned>(W.planes().groups),
                    static_cast<unsigned>((columns + detail::arranging_warps - 1) / detail::arranging_warps));
  detail::arrange_kernel<<<blocks, detail::arranging_warps * lanes_of_warp, 0, stream>>>(W.planes(), X, X_stride,
                                                                                         result.view());
  require_success(cudaGetLastError(), "launch of the arrangement of activations");
  return result;
}

/// Y = X W^T + bias, every element of it.
/// @param X  arranged for W, or for a matrix of the same codec and columns if that has one class of columns
/// @param Y  [tokens x rows] in device memory
/// @throws luq::error device_failure
template <PlaneCodec Codec, activation_bits Bits, class Output, class Bias = float>
void matmul(const device_matrix<Codec>& W, const device_activations<Codec, Bits>& X, Output* Y,
            const product_options<Bias>& options, cudaStream_t stream) {
  const int tokens = X.view().tokens;
  if (tokens == 0 || W.rows() == 0) return;
  LUQ_ASSERT(X.view().layout.group == W.planes().group);
  const std::int64_t stride = options.Y_stride != 0 ? options.Y_stride : W.rows();
  const auto launch = [&](auto tiles) {
    detail::launch_product<tiles>(W.planes(), X.view(), options.bias, Y, stride, stream);
  };
  using layout = activation_layout<Codec, Bits>;
  detail::with_tiles<layout::most_tiles_of_block>(layout::tiles_of_block(tokens), launch);
}

/// As above, for activations that no other matrix multiplies.
/// @param X  [tokens x cols] in device memory, rows without gaps
template <PlaneCodec Codec, class Stored, class Output, class Bias = float>
void matmul(const device_matrix<Codec>& W, const Stored* X, int tokens, Output* Y, const product_options<Bias>& options,
            cudaStream_t stream, activation_bits bits) {
  if (bits == activation_bits::sixteen) {
    matmul(W, arrange<activation_bits::sixteen>(W, X, tokens, W.cols(), stream), Y, options, stream);
  } else {
    matmul(W, arrange<activation_bits::eight>(W, X, tokens, W.cols(), stream), Y, options, stream);
  }
}

}  // namespace luq::cuda
