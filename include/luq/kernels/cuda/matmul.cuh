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
//   const std::array<luq::cuda::product<Codec, float>, 3> products{{{&Q, q}, {&K, k}, {&V, v}}};   // in one launch
//   luq::cuda::matmul(std::span<const luq::cuda::product<Codec, float>>(products), arranged, stream);
//
// X, Y and bias are in device memory, of float, luq::half or luq::bfloat16, which have the bits of __half and
// __nv_bfloat16. Everything happens in the order of the caller's stream and nothing waits for it. Sums are of integers
// within a chunk of columns and of floats between chunks, the same bits every time.
//
// On sm_90 and later a product begins to read weights while the kernels ahead of it in the stream still run: weights
// must not be written by kernels, only by copies, as device_matrix does.
//
// For many tokens, dequantized_matmul.cuh has products by cuBLAS.
//
// Products can be captured in graphs. Not for several devices: matrices live on the device that was current when they
// were made.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <utility>

#include "luq/core/cuda/device_memory.cuh"
#include "luq/core/cuda/launch.cuh"
#include "luq/kernels/cuda/decode_product.cuh"
#include "luq/kernels/cuda/device_matrix.cuh"
#include "luq/kernels/cuda/prefill_product.cuh"
#include "luq/kernels/cuda/product_options.cuh"

namespace luq::cuda {

/// Up to so many tokens are multiplied by kernels that are made for reading weights.
inline constexpr int most_decode_tokens = 16;

/// Up to so many tokens are multiplied bit by bit where planes are of bits: their cost grows with every token, that of
/// bytes only with every fourth.
inline constexpr int most_bit_serial_tokens = 2;

/// How so many tokens are arranged for a codec.
template <PlaneCodec Codec>
[[nodiscard]] constexpr arithmetic arithmetic_for(int tokens) {
  return luq::detail::has_only_bit_planes<Codec> && tokens <= most_bit_serial_tokens ? arithmetic::bit_serial
                                                                                     : arithmetic::bytes;
}

/// Calls body(std::integral_constant<arithmetic, a>()) for the arithmetic of so many tokens.
template <PlaneCodec Codec, class Body>
void with_arithmetic(int tokens, const Body& body) {
  if constexpr (luq::detail::has_only_bit_planes<Codec>) {
    if (arithmetic_for<Codec>(tokens) == arithmetic::bit_serial) {
      return body(std::integral_constant<arithmetic, arithmetic::bit_serial>());
    }
  }
  body(std::integral_constant<arithmetic, arithmetic::bytes>());
}

/// Activations arranged for a matrix, and for others of its codec and shape of columns if the codec has one class.
template <PlaneCodec Codec, activation_bits Bits>
class device_activations {
 public:
  /// Room for so many tokens, to be filled by arrange().
  /// @throws luq::error unsupported as size_of_arranged(); device_failure
  device_activations(int tokens, const packed_planes<Codec>& W, cudaStream_t stream) {
    with_arithmetic<Codec>(tokens, [&](auto kind) {
      const arranged_size size = size_of_arranged<Codec, Bits, kind>(W.chunks(), tokens);
      view_.tokens = tokens;
      view_.tiles = size.tiles;
      words_ = {size.words, stream};
      factors_ = {size.factors, stream};
    });
    view_.words = words_.data();
    view_.factors = factors_.data();
    group_ = W.group;
    cols_ = W.cols;
  }

  [[nodiscard]] const arranged_activations& view() const { return view_; }

  /// Whether they can be multiplied with such a matrix.
  [[nodiscard]] bool fit(const packed_planes<Codec>& W) const { return group_ == W.group && cols_ == W.cols; }

 private:
  arranged_activations view_{};
  device_array<std::uint32_t> words_;
  device_array<float> factors_;
  int group_ = 0;
  int cols_ = 0;
};

/// One of several products with the same activations: Y = X W^T + bias.
template <PlaneCodec Codec, class Output, class Bias = float>
struct product {
  const device_matrix<Codec>* W;
  Output* Y;                   ///< [tokens x rows] in device memory
  const Bias* bias = nullptr;  ///< [rows] in device memory, added to every token; null for none
  std::int64_t Y_stride = 0;   ///< elements from row to row of Y; 0 for rows without gaps
};

/// Products that one launch computes at most.
inline constexpr int most_products = 4;

namespace detail {

/// What a kernel computes.
template <PlaneCodec Codec, class Output, class Bias>
struct product_batch {
  int count;
  int first_block[most_products + 1];
  packed_planes<Codec> W[most_products];
  const Bias* bias[most_products];
  Output* Y[most_products];
  std::int64_t stride[most_products];

  /// Which product a block is part of.
  [[nodiscard]] __device__ __forceinline__ int of_block(int block) const {
    int p = 0;
    while (p + 1 < count && block >= first_block[p + 1]) ++p;
    return p;
  }
};

inline constexpr int arranging_warps = 4;  ///< of a block

template <activation_bits Bits, arithmetic Arithmetic, PlaneCodec Codec, class Stored>
__global__ void arrange_kernel(packed_planes<Codec> W, const Stored* X, std::int64_t stride, arranged_activations out) {
  let_successor_begin();
  wait_for_predecessors();
  const int warp = static_cast<int>(blockIdx.x) * arranging_warps + static_cast<int>(threadIdx.x) / lanes_of_warp;
  if (warp >= W.chunks() * out.tokens) return;
  arrange_token<device_warp, Bits, Arithmetic>(W, X, stride, warp / out.tokens, warp % out.tokens, out);
}

/// @tparam Product  a decode_product
template <class Product, int Warps, class Output, class Bias>
__global__ void __launch_bounds__(Warps* lanes_of_warp)
    decode_kernel(const __grid_constant__ product_batch<typename Product::Codec, Output, Bias> batch,
                  const __grid_constant__ arranged_activations arranged) {
  extern __shared__ uint4 memory[];
  let_successor_begin();
  const int p = batch.of_block(static_cast<int>(blockIdx.x));
  const auto W = batch.W[p];  // copies: what is in memory is read again after every asynchronous copy
  const auto X = arranged;
  const int half_tile = (static_cast<int>(blockIdx.x) - batch.first_block[p]) * Product::half_tiles_of_block;
  const int first_token = static_cast<int>(blockIdx.y) * Product::tokens_of_block;
  const int thread = static_cast<int>(threadIdx.x);
  auto* const bytes = reinterpret_cast<std::byte*>(memory);
  Product::accumulate(W, X, half_tile, first_token, thread / lanes_of_warp, Warps, bytes,
                      [] { wait_for_predecessors(); });
  __syncthreads();
  Product::finish(W, X.tokens, half_tile, first_token, thread, Warps * lanes_of_warp, Warps, bytes, batch.bias[p],
                  batch.Y[p], batch.stride[p]);
}

/// @tparam Product  a prefill_product
/// @tparam Stages   chunks in shared memory
template <class Product, int Stages, class Output, class Bias>
__global__ void __launch_bounds__(Product::warps* lanes_of_warp, Product::blocks_of_multiprocessor)
    prefill_kernel(const __grid_constant__ product_batch<typename Product::Codec, Output, Bias> batch,
                   const __grid_constant__ arranged_activations arranged) {
  extern __shared__ uint4 memory[];
  let_successor_begin();
  const int p = batch.of_block(static_cast<int>(blockIdx.x));
  const auto W = batch.W[p];  // copies, as above
  const auto X = arranged;
  const int first_half_tile = (static_cast<int>(blockIdx.x) - batch.first_block[p]) * Product::half_tiles_of_block;
  const int first_token = static_cast<int>(blockIdx.y) * Product::tokens_of_block;
  const int warp = static_cast<int>(threadIdx.x) / lanes_of_warp;
  const int chunks = W.chunks();
  const weight_rows<device_warp, typename Product::Codec> rows(W, first_half_tile + warp / Product::token_warps);
  auto* const stages = reinterpret_cast<std::byte*>(memory);
  wait_for_predecessors();
  unrolled<Stages - 1>([&](auto i) {
    if (i < chunks) Product::request(W, X, rows, first_token, warp, i, stages + i * Product::stage_bytes);
    device_warp::close_group();
  });
  typename Product::chunk::sums_of_warp sums;
  Product::chunk::clear(sums);
  int stage = 0;
  int free = Stages - 1;
  for (int chunk = 0; chunk < chunks; ++chunk) {
    device_warp::wait_for_copies<Stages - 2>();
    __syncthreads();  // all warps are done with the stage that is asked for now, and see this one
    const std::byte* const staged = stages + stage * Product::stage_bytes;
    const auto words = Product::words(warp, staged);
    const int ahead = chunk + Stages - 1;
    if (ahead < chunks) {
      Product::request(W, X, rows, first_token, warp, ahead, stages + free * Product::stage_bytes);
    }
    device_warp::close_group();
    Product::add(W, words, warp, staged, sums);
    free = stage;
    stage = stage + 1 == Stages ? 0 : stage + 1;
  }
  Product::finish(W, X.tokens, first_half_tile, first_token, warp, sums, batch.bias[p], batch.Y[p], batch.stride[p]);
}

/// @param half_tiles_of_block  of its kernel
template <PlaneCodec Codec, activation_bits Bits, class Output, class Bias>
[[nodiscard]] product_batch<Codec, Output, Bias> make_batch(std::span<const product<Codec, Output, Bias>> products,
                                                            [[maybe_unused]] const device_activations<Codec, Bits>& X,
                                                            int half_tiles_of_block) {
  product_batch<Codec, Output, Bias> batch{};
  for (const auto& product : products) {
    const packed_planes<Codec>& W = product.W->planes();
    LUQ_ASSERT(X.fit(W));
    const int i = batch.count++;
    batch.W[i] = W;
    batch.bias[i] = product.bias;
    batch.Y[i] = product.Y;
    batch.stride[i] = product.Y_stride != 0 ? product.Y_stride : W.rows;
    batch.first_block[i + 1] = batch.first_block[i] + (W.half_tiles() + half_tiles_of_block - 1) / half_tiles_of_block;
  }
  return batch;
}

/// @tparam Product  a decode_product or a prefill_product, which `kernel` computes
template <class Product, class Kernel, PlaneCodec Codec, activation_bits Bits, class Output, class Bias>
void launch_product(Kernel* kernel, int warps, int shared_bytes, std::span<const product<Codec, Output, Bias>> products,
                    const device_activations<Codec, Bits>& X, cudaStream_t stream, const char* what) {
  const auto batch = make_batch(products, X, Product::half_tiles_of_block);
  const int passes = (X.view().tokens + Product::tokens_of_block - 1) / Product::tokens_of_block;
  const dim3 blocks(static_cast<unsigned>(batch.first_block[batch.count]), static_cast<unsigned>(passes));
  launch_dependent(kernel, blocks, warps * lanes_of_warp, static_cast<std::size_t>(shared_bytes), stream, what, batch,
                   X.view());
}

template <PlaneCodec Codec, activation_bits Bits, class Output, class Bias>
void prefill(std::span<const product<Codec, Output, Bias>> products, const device_activations<Codec, Bits>& X,
             cudaStream_t stream) {
  using kernel = prefill_product<device_warp, Codec, Bits>;
  constexpr int stages = 3;
  launch_product<kernel>(prefill_kernel<kernel, stages, Output, Bias>, kernel::warps, stages * kernel::stage_bytes,
                         products, X, stream, "launch of a product of many tokens");
}

/// Half row tiles of all matrices for each multiprocessor of the current device.
template <PlaneCodec Codec, class Output, class Bias>
[[nodiscard]] double half_tiles_of_multiprocessor(std::span<const product<Codec, Output, Bias>> products) {
  int device = 0;
  int multiprocessors = 1;
  constexpr const char* what = "properties of the device";
  require_success(cudaGetDevice(&device), what);
  require_success(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device), what);
  double half_tiles = 0;
  for (const auto& product : products) half_tiles += product.W->planes().half_tiles();
  return half_tiles / multiprocessors;
}

/// Warps of a block, stages of the ring of each, and half tiles of a block.
template <int Warps, int Depth, int Halves>
struct decode_blocks {
  /// Shared memory suffices on every GPU from sm_80 on; that of sm_86 and sm_89 has 99 KiB for a block.
  template <PlaneCodec Codec>
  static constexpr bool fit = Warps* Depth* Halves* staged_weights<device_warp, Codec>::bytes <= 99 * 1024;
};

/// Blocks of `Tokens` tokens, or twice as many until one has all, up to `Most`.
///
/// The more blocks there are for a multiprocessor, the fewer warps each should have: all together ask for enough ahead,
/// and blocks of few warps leave room in which the next kernel begins. (bench/cuda/README.md has the figures.)
template <arithmetic Arithmetic, int Tokens, int Most, PlaneCodec Codec, activation_bits Bits, class Output, class Bias>
void decode(std::span<const product<Codec, Output, Bias>> products, const device_activations<Codec, Bits>& X,
            cudaStream_t stream) {
  if constexpr (2 * Tokens <= Most) {
    if (X.view().tokens > Tokens) return decode<Arithmetic, 2 * Tokens, Most>(products, X, stream);
  }
  const double half_tiles = half_tiles_of_multiprocessor(products);
  const auto launch = [&]<int Warps, int Depth, int Halves>(decode_blocks<Warps, Depth, Halves>) {
    using kernel = decode_product<device_warp, Codec, Bits, Arithmetic, Tokens, Depth, Halves>;
    launch_product<kernel>(decode_kernel<kernel, Warps, Output, Bias>, Warps, Warps * kernel::bytes_of_warp, products,
                           X, stream, "launch of a product of few tokens");
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

}  // namespace detail

/// Arranges activations for a matrix.
/// @param X         [tokens x cols] in device memory
/// @param X_stride  elements from row to row of X
/// @param into      made for W
/// @throws luq::error device_failure
template <PlaneCodec Codec, activation_bits Bits, class Stored>
void arrange(const device_matrix<Codec>& W, const Stored* X, std::int64_t X_stride,
             device_activations<Codec, Bits>& into, cudaStream_t stream) {
  LUQ_ASSERT(X_stride >= 0 && into.fit(W.planes()));
  const int warps = into.view().tokens * W.planes().chunks();
  if (warps == 0) return;
  with_arithmetic<Codec>(into.view().tokens, [&](auto kind) {
    const dim3 blocks(static_cast<unsigned>((warps + detail::arranging_warps - 1) / detail::arranging_warps));
    launch_dependent(detail::arrange_kernel<Bits, kind, Codec, Stored>, blocks, detail::arranging_warps * lanes_of_warp,
                     0, stream, "launch of the arrangement of activations", W.planes(), X, X_stride, into.view());
  });
}

/// The same, in memory of their own.
template <activation_bits Bits, PlaneCodec Codec, class Stored>
[[nodiscard]] device_activations<Codec, Bits> arrange(const device_matrix<Codec>& W, const Stored* X, int tokens,
                                                      std::int64_t X_stride, cudaStream_t stream) {
  LUQ_ASSERT(tokens >= 0);
  device_activations<Codec, Bits> result(tokens, W.planes(), stream);
  arrange(W, X, X_stride, result, stream);
  return result;
}

/// Several products with the same activations, every element of them, in one launch.
/// @param products  at most most_products, of matrices with the same columns and groups
/// @param X         arranged for one of them, or for all if the codec has one class of columns
/// @throws luq::error device_failure
template <PlaneCodec Codec, activation_bits Bits, class Output, class Bias>
void matmul(std::span<const product<Codec, Output, Bias>> products, const device_activations<Codec, Bits>& X,
            cudaStream_t stream) {
  LUQ_ASSERT(products.size() <= most_products && (Codec::column_classes == 1 || products.size() <= 1));
  const bool empty = std::all_of(products.begin(), products.end(), [](const auto& p) { return p.W->rows() == 0; });
  if (X.view().tokens == 0 || empty) return;
  if (X.view().tokens > most_decode_tokens) return detail::prefill(products, X, stream);
  with_arithmetic<Codec>(X.view().tokens, [&](auto kind) {
    if constexpr (kind == arithmetic::bit_serial) {
      detail::decode<kind, 1, most_bit_serial_tokens>(products, X, stream);
    } else {
      using layout = activation_layout<Codec, Bits, kind>;
      constexpr int least = columns_of_tile / (layout::parts * layout::classes);
      detail::decode<kind, least, most_tiles<Codec> * least>(products, X, stream);
    }
  });
}

/// Y = X W^T + bias, every element of it.
/// @param X  arranged for W, or for a matrix of the same codec and columns if that has one class of columns
/// @param Y  [tokens x rows] in device memory
/// @throws luq::error device_failure
template <PlaneCodec Codec, activation_bits Bits, class Output, class Bias = float>
void matmul(const device_matrix<Codec>& W, const device_activations<Codec, Bits>& X, Output* Y,
            const product_options<Bias>& options, cudaStream_t stream) {
  const std::array<product<Codec, Output, Bias>, 1> one{{{&W, Y, options.bias, options.Y_stride}}};
  matmul(std::span<const product<Codec, Output, Bias>>(one), X, stream);
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
