// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Inner products of many tokens with a few rows, x_t . c_k, where the same rows meet every token: the inner loop of
// k-means. Lanes are rows of C, packed once; tokens are read where they lie, one pointer each, so that any selection
// of them costs no copy. A general matrix product packs both operands, and packing X costs as much time as reading it.
//
// Each product is the sum over segments of 256 columns of a chain of fused multiply-adds, in the order of columns. It
// is the same bits wherever token and row stand, so equal rows give equal products and ties are ties.
#pragma once

#include <algorithm>
#include <array>
#include <utility>
#include <xsimd/xsimd.hpp>

#include "luq/core/aligned_buffer.hpp"
#include "luq/core/detail/row_pointer.hpp"
#include "luq/core/matrix_view.hpp"

namespace luq::detail {

template <class Arch = xsimd::default_arch>
class row_products {
  using batch = xsimd::batch<float, Arch>;
  static constexpr index lanes = static_cast<index>(batch::size);

 public:
  /// Tokens that a register tile takes at once. products() writes whole tiles.
  static constexpr index tile_tokens = 6;

  row_products() = default;

  /// `rows`, rounded up to whole vectors.
  [[nodiscard]] static constexpr index padded(index rows) noexcept { return (rows + lanes - 1) / lanes * lanes; }

  /// Packs C [rows x width].
  explicit row_products(const matrix& C)
      : rows_(C.rows()),
        width_(C.cols()),
        stride_(padded(C.rows())),
        packed_(static_cast<std::size_t>(stride_ * width_)) {
    for (index first = 0; first < rows_; first += panel_rows) {
      const index columns = (std::min)(panel_rows, stride_ - first);
      float* panel = packed_.data() + first * width_;
      std::fill(panel, panel + columns * width_, 0.0f);
      for (index k = 0; k < (std::min)(columns, rows_ - first); ++k) {
        const float* const row = row_pointer(C, first + k);
        for (index c = 0; c < width_; ++c) panel[c * columns + k] = row[c];
      }
    }
  }

  /// Floats from the products of one token to those of the next: padded(rows).
  [[nodiscard]] index stride() const noexcept { return stride_; }

  /// out[t * stride() + k] = x_t . c_k, and 0 for k >= rows.
  /// @param tokens  `count` pointers to `width` floats each
  /// @param out     aligned; for `count` rounded up to a multiple of tile_tokens, the rest being of no meaning
  void operator()(const float* const* tokens, index count, float* out) const noexcept {
    const index tiles = (count + tile_tokens - 1) / tile_tokens;
    std::fill(out, out + tiles * tile_tokens * stride_, 0.0f);
    for (index begin = 0; begin < width_; begin += segment) {
      const index columns = (std::min)(segment, width_ - begin);
      for (index first = 0; first < rows_; first += panel_rows) {
        const index vectors = (std::min)(panel_rows, stride_ - first) / lanes;
        const float* panel = packed_.data() + first * width_ + begin * vectors * lanes;
        for (index i = 0; i < tiles; ++i) {
          std::array<const float*, tile_tokens> x;
          for (index t = 0; t < tile_tokens; ++t) {  // a last tile that is not full repeats its last token
            x[static_cast<std::size_t>(t)] = tokens[(std::min)(i * tile_tokens + t, count - 1)] + begin;
          }
          float* sums = out + i * tile_tokens * stride_ + first;
          switch (vectors) {
            case 1:
              add_tile<1>(x, columns, panel, sums);
              break;
            case 2:
              add_tile<2>(x, columns, panel, sums);
              break;
            case 3:
              add_tile<3>(x, columns, panel, sums);
              break;
            default:
              add_tile<4>(x, columns, panel, sums);
              break;
          }
        }
      }
    }
  }

 private:
  // 6 x 4 sums, 4 vectors of C and one of X are 29 of 32 registers, and 24 chains hide the latency of a fused
  // multiply-add; with 16 registers, 6 x 2 do. A segment of a panel, 256 x 64 floats, stays in L2.
  static constexpr index panel_rows = (lanes >= 16 ? 4 : 2) * lanes;
  static constexpr index segment = 256;

  template <std::size_t Vectors>
  void add_tile(const std::array<const float*, tile_tokens>& x, index columns, const float* panel,
                float* sums) const noexcept {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      std::array<batch, sizeof...(I)> acc;
      ((acc[I] = batch(0.0f)), ...);
      for (index c = 0; c < columns; ++c, panel += Vectors * static_cast<std::size_t>(lanes)) {
        ((acc[I] = xsimd::fma(batch(x[I / Vectors][c]),
                              batch::load_aligned(panel + (I % Vectors) * static_cast<std::size_t>(lanes)), acc[I])),
         ...);
      }
      const auto add = [](float* to, const batch& value) { (batch::load_aligned(to) + value).store_aligned(to); };
      (add(sums + (I / Vectors) * static_cast<std::size_t>(stride_) + (I % Vectors) * static_cast<std::size_t>(lanes),
           acc[I]),
       ...);
    }(std::make_index_sequence<static_cast<std::size_t>(tile_tokens) * Vectors>{});
  }

  index rows_ = 0;
  index width_ = 0;
  index stride_ = 0;
  aligned_buffer<float> packed_;  // panels of panel_rows rows, each [width][rows of the panel]
};

}  // namespace luq::detail
