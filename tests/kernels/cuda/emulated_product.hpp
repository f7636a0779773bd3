// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The CUDA products of a packed matrix, run on the host: each warp emulated, warp after warp, block after block.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <luq/kernels/cuda/detail/activations/token_arrangement.cuh>
#include <luq/kernels/cuda/detail/planes/padded_tiles.cuh>
#include <luq/kernels/cuda/detail/products/decode_product.cuh>
#include <luq/kernels/cuda/detail/products/prefill_product.cuh>
#include <vector>

namespace luq_test {

/// A packed matrix as a GPU has it.
template <class Codec>
class uploaded_matrix {
 public:
  explicit uploaded_matrix(const luq::packed_matrix<Codec>& W)
      : planes_(luq::cuda::detail::describe_planes(W)),
        tiles_(luq::cuda::detail::padded_tiles(W, planes_)),
        order_(luq::cuda::detail::order_of_columns(W)) {
    planes_.tiles = tiles_.data();
    planes_.stored_columns = order_.columns.empty() ? nullptr : order_.columns.data();
    planes_.class_borders = order_.borders.empty() ? nullptr : order_.borders.data();
  }

  [[nodiscard]] const luq::cuda::detail::packed_planes<Codec>& planes() const { return planes_; }

 private:
  luq::cuda::detail::packed_planes<Codec> planes_;
  luq::aligned_buffer<std::byte> tiles_;
  luq::cuda::detail::stored_column_order order_;
};

/// X arranged for a matrix; memory is poisoned first.
template <luq::cuda::activation_bits Bits, luq::cuda::detail::arithmetic Arithmetic, class Codec>
class emulated_activations {
 public:
  using layout = luq::cuda::detail::activation_layout<Codec, Bits, Arithmetic>;

  /// @param X  [tokens x cols]
  template <class Stored>
  emulated_activations(const luq::cuda::detail::packed_planes<Codec>& W, const luq::basic_matrix<Stored>& X) {
    const auto tokens = static_cast<int>(X.rows());
    const auto size = luq::cuda::detail::size_of_arranged<Codec, Bits, Arithmetic>(W.chunks(), tokens);
    view_.tokens = tokens;
    view_.tiles = size.tiles;
    words_.assign(size.words, 0xdeadbeefu);
    factors_.assign(size.factors, 1e30f);
    view_.words = words_.data();
    view_.factors = factors_.data();
    const luq::cuda::detail::activation_rows rows{X.data(), luq::cuda::detail::number_type_of<Stored>(), X.cols()};
    for (int chunk = 0; chunk < W.chunks(); ++chunk) {
      for (int token = 0; token < tokens; ++token) {
        luq::cuda::detail::arrange_token<luq::cuda::detail::emulated_warp, Bits, Arithmetic>(W, rows, chunk, token,
                                                                                             view_);
      }
    }
  }

  [[nodiscard]] const luq::cuda::detail::arranged_activations& view() const { return view_; }

 private:
  std::vector<std::uint32_t> words_;
  std::vector<float> factors_;
  luq::cuda::detail::arranged_activations view_{};
};

/// Shared memory of a block, poisoned with what is no number.
inline luq::aligned_buffer<std::byte> poisoned_memory(int bytes) {
  luq::aligned_buffer<std::byte> memory(static_cast<std::size_t>(bytes));
  std::fill(memory.data(), memory.data() + bytes, std::byte{0xff});
  return memory;
}

/// Where a product writes Y [tokens x rows].
[[nodiscard]] inline luq::cuda::detail::output_rows rows_of_outputs(luq::matrix& Y, const float* bias) {
  constexpr auto type = luq::cuda::detail::number_type::float32;
  return {Y.data(), bias, Y.cols(), type, type};
}

[[nodiscard]] inline luq::matrix poisoned_outputs(luq::index tokens, luq::index rows) {
  return luq::matrix::Constant(tokens, rows, std::numeric_limits<float>::quiet_NaN());
}

/// Y = X W^T + bias as few tokens are multiplied, by blocks of `warps` warps and `Tokens` tokens.
/// @return [tokens x rows], from poisoned memory
template <luq::cuda::activation_bits Bits, luq::cuda::detail::arithmetic Arithmetic, int Tokens, int Halves = 1,
          class Codec, class Stored>
[[nodiscard]] luq::matrix emulated_decode(const luq::packed_matrix<Codec>& W, const luq::basic_matrix<Stored>& X,
                                          int warps, const float* bias = nullptr) {
  using kernel =
      luq::cuda::detail::decode_product<luq::cuda::detail::emulated_warp, Codec, Bits, Arithmetic, Tokens, 3, Halves>;
  const uploaded_matrix<Codec> uploaded(W);
  const auto& planes = uploaded.planes();
  const emulated_activations<Bits, Arithmetic, Codec> arranged(planes, X);
  luq::matrix Y = poisoned_outputs(X.rows(), W.rows());
  constexpr int threads = 64;
  for (int half_tile = 0; half_tile < planes.half_tiles(); half_tile += Halves) {
    for (int token = 0; token < arranged.view().tokens; token += Tokens) {
      auto memory = poisoned_memory(warps * kernel::bytes_of_warp);
      for (int warp = 0; warp < warps; ++warp) {
        kernel::accumulate(planes, arranged.view(), half_tile, token, warp, warps, memory.data(), [] {});
      }
      for (int thread = 0; thread < threads; ++thread) {
        kernel::finish(planes, arranged.view().tokens, half_tile, token, thread, threads, warps, memory.data(),
                       rows_of_outputs(Y, bias));
      }
    }
  }
  return Y;
}

/// Y = X W^T + bias as many tokens are multiplied.
/// @return [tokens x rows], from poisoned memory
template <luq::cuda::activation_bits Bits, class Codec, class Stored>
[[nodiscard]] luq::matrix emulated_prefill(const luq::packed_matrix<Codec>& W, const luq::basic_matrix<Stored>& X,
                                           const float* bias = nullptr) {
  using kernel = luq::cuda::detail::prefill_product<luq::cuda::detail::emulated_warp, Codec, Bits>;
  const uploaded_matrix<Codec> uploaded(W);
  const auto& planes = uploaded.planes();
  const emulated_activations<Bits, luq::cuda::detail::arithmetic::bytes, Codec> arranged(planes, X);
  luq::matrix Y = poisoned_outputs(X.rows(), W.rows());
  for (int half_tile = 0; half_tile < planes.half_tiles(); half_tile += kernel::row_warps) {
    for (int token = 0; token < arranged.view().tokens; token += kernel::tokens_of_block) {
      std::vector<typename kernel::chunk::sums_of_warp> sums(kernel::warps);
      for (auto& of_warp : sums) kernel::chunk::clear(of_warp);
      for (int chunk = 0; chunk < planes.chunks(); ++chunk) {
        auto stage = poisoned_memory(kernel::stage_bytes);
        for (int warp = 0; warp < kernel::warps; ++warp) {
          const luq::cuda::detail::weight_rows<luq::cuda::detail::emulated_warp, Codec> rows(
              planes, half_tile + warp / kernel::token_warps);
          kernel::request(planes, arranged.view(), rows, token, warp, chunk, stage.data());
        }
        for (int warp = 0; warp < kernel::warps; ++warp) {
          kernel::add(planes, kernel::words(warp, stage.data()), warp, stage.data(),
                      sums[static_cast<std::size_t>(warp)]);
        }
      }
      for (int warp = 0; warp < kernel::warps; ++warp) {
        kernel::finish(planes, arranged.view().tokens, half_tile, token, warp, sums[static_cast<std::size_t>(warp)],
                       rows_of_outputs(Y, bias));
      }
    }
  }
  return Y;
}

}  // namespace luq_test
