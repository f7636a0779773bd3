// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The CUDA product of a packed matrix, run on the host: each warp emulated, warp after warp, block after block.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <luq/kernels/cuda/plane_product.cuh>
#include <vector>

namespace luq_test {

/// A packed matrix as a GPU has it.
template <class Codec>
class uploaded_matrix {
 public:
  explicit uploaded_matrix(const luq::packed_matrix<Codec>& W)
      : tiles_(luq::cuda::padded_tiles(W)),
        order_(luq::cuda::order_of_columns(W)),
        planes_(luq::cuda::describe_planes(W)) {
    planes_.tiles = tiles_.data();
    planes_.stored_columns = order_.columns.empty() ? nullptr : order_.columns.data();
    planes_.class_borders = order_.borders.empty() ? nullptr : order_.borders.data();
  }

  [[nodiscard]] const luq::cuda::packed_planes<Codec>& planes() const { return planes_; }

 private:
  luq::aligned_buffer<std::byte> tiles_;
  luq::cuda::stored_column_order order_;
  luq::cuda::packed_planes<Codec> planes_;
};

/// X arranged for a matrix; memory is poisoned first.
template <luq::cuda::activation_bits Bits, class Codec>
class emulated_activations {
 public:
  using layout = luq::cuda::activation_layout<Codec, Bits>;

  /// @param X      [tokens x cols]
  /// @param tiles  rounded up to a multiple of this
  template <class Stored>
  emulated_activations(const luq::cuda::packed_planes<Codec>& W, const luq::basic_matrix<Stored>& X, int tiles) {
    const auto tokens = static_cast<int>(X.rows());
    view_.layout = {W.group, (layout::tiles_of(tokens) + tiles - 1) / tiles * tiles};
    view_.tokens = tokens;
    const auto groups = static_cast<std::size_t>(W.groups);
    words_.assign(groups * static_cast<std::size_t>(view_.layout.tiles * view_.layout.words_of_tile()), 0xdeadbeefu);
    scales_.assign(groups * static_cast<std::size_t>(tokens), 1e30f);
    sums_.assign(scales_.size() * static_cast<std::size_t>(layout::classes), 1e30f);
    view_.words = words_.data();
    view_.scales = scales_.data();
    view_.sums = sums_.data();
    for (int g = 0; g < W.groups; ++g) {
      for (int token = 0; token < view_.layout.tiles * layout::tokens_of_tile; ++token) {
        luq::cuda::arrange_token<luq::cuda::emulated_warp>(W, X.data(), X.cols(), g, token, view_);
      }
    }
  }

  [[nodiscard]] const luq::cuda::arranged_activations<Codec, Bits>& view() const { return view_; }

 private:
  std::vector<std::uint32_t> words_;
  std::vector<float> scales_;
  std::vector<float> sums_;
  luq::cuda::arranged_activations<Codec, Bits> view_;
};

/// Y = X W^T + bias by blocks of `warps` warps and `Tiles` tiles of columns.
/// @return [tokens x rows], from poisoned memory
template <luq::cuda::activation_bits Bits, int Tiles, class Codec, class Stored>
[[nodiscard]] luq::matrix emulated_product(const luq::packed_matrix<Codec>& W, const luq::basic_matrix<Stored>& X,
                                           int warps, const float* bias = nullptr) {
  using product = luq::cuda::plane_product<luq::cuda::emulated_warp, Codec, Bits, Tiles>;
  const uploaded_matrix<Codec> uploaded(W);
  const auto& planes = uploaded.planes();
  const emulated_activations<Bits, Codec> arranged(planes, X, Tiles);
  luq::matrix Y = luq::matrix::Constant(X.rows(), W.rows(), std::numeric_limits<float>::quiet_NaN());
  std::vector<float> partial(static_cast<std::size_t>(warps * product::partial_floats));
  constexpr int threads = 64;
  for (int half_tile = 0; half_tile * luq::cuda::rows_of_block < W.rows(); ++half_tile) {
    for (int first_tile = 0; first_tile < arranged.view().layout.tiles; first_tile += Tiles) {
      std::fill(partial.begin(), partial.end(), std::numeric_limits<float>::quiet_NaN());
      for (int warp = 0; warp < warps; ++warp) {
        product::accumulate(planes, arranged.view(), half_tile, first_tile, warp, warps, partial.data());
      }
      for (int thread = 0; thread < threads; ++thread) {
        product::finish(planes, arranged.view().tokens, half_tile, first_tile, thread, threads, warps, partial.data(),
                        bias, Y.data(), Y.cols());
      }
    }
  }
  return Y;
}

}  // namespace luq_test
