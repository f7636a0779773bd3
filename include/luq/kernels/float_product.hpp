// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Y = X W^T with activations in float, row tile by row tile: the product with the unpacked matrix, to float rounding.
// Lanes are rows of W. The columns of a tile are expanded to floats [column][row], a segment at a time and once for all
// tokens, and x_c times column c is added to 64 sums for each token.
//
// It is for exactness: a single token takes several times what reading the weights would (integer_product.hpp).
#pragma once

#include <algorithm>
#include <array>
#include <vector>
#include <xsimd/xsimd.hpp>

#include "luq/codecs/packed_matrix.hpp"
#include "luq/core/aligned_buffer.hpp"
#include "luq/kernels/instruction_set.hpp"
#include "luq/kernels/tile_decoder.hpp"

namespace luq::detail {

/// Columns that are expanded at once; 64 rows of them take 64 KiB.
inline constexpr index float_segment = 256;

/// sums[t][r] += sum_c x[t][c] columns[c][r] for 64 rows r and `Tokens` tokens.
/// @param columns  [count][tile_rows], aligned
/// @param x        first token; tokens are `x_stride` floats apart
/// @param sums     [Tokens][tile_rows], aligned
template <class Arch, int Tokens>
void accumulate_columns(const float* columns, index count, const float* x, index x_stride, float* sums) {
  using batch = xsimd::batch<float, float_arch<Arch>>;
  constexpr index lanes = static_cast<index>(batch::size);
  constexpr index vectors =
      4;  // 4 vectors x 4 tokens of sums: enough chains to hide the latency of a fused multiply-add
  constexpr index rows_at_once = std::min(vectors * lanes, tile_rows);
  constexpr index used = rows_at_once / lanes;
  for (index first = 0; first < tile_rows; first += rows_at_once) {
    std::array<std::array<batch, used>, Tokens> acc;
    for (index t = 0; t < Tokens; ++t) {
      for (index v = 0; v < used; ++v) {
        acc[static_cast<std::size_t>(t)][static_cast<std::size_t>(v)] =
            batch::load_aligned(sums + t * tile_rows + first + v * lanes);
      }
    }
    for (index c = 0; c < count; ++c) {
      std::array<batch, used> column;
      for (index v = 0; v < used; ++v) {
        column[static_cast<std::size_t>(v)] = batch::load_aligned(columns + c * tile_rows + first + v * lanes);
      }
      for (index t = 0; t < Tokens; ++t) {
        const batch value(x[t * x_stride + c]);
        for (index v = 0; v < used; ++v) {
          auto& sum = acc[static_cast<std::size_t>(t)][static_cast<std::size_t>(v)];
          sum = xsimd::fma(value, column[static_cast<std::size_t>(v)], sum);
        }
      }
    }
    for (index t = 0; t < Tokens; ++t) {
      for (index v = 0; v < used; ++v) {
        acc[static_cast<std::size_t>(t)][static_cast<std::size_t>(v)].store_aligned(sums + t * tile_rows + first +
                                                                                    v * lanes);
      }
    }
  }
}

/// One row tile of a product.
template <class Arch, WeightCodec Codec>
class float_product {
 public:
  /// @param x  [tokens x in], columns in stored order; tokens are `stride` floats apart
  float_product(const packed_matrix<Codec>& W, const float* x, index stride, index tokens)
      : W_(W),
        x_(x),
        stride_(stride),
        tokens_(tokens),
        columns_(static_cast<std::size_t>(float_segment * tile_rows), 0.0f),
        sums_(static_cast<std::size_t>(tokens * tile_rows), 0.0f) {}

  void run(index row_tile) {
    const auto& layout = W_.layout();
    rows_ = layout.rows_of(row_tile);
    std::fill(sums_.begin(), sums_.end(), 0.0f);
    codes_.resize(static_cast<std::size_t>(group_size(W_.codec(), W_.cols()) * rows_));
    for (index g = 0; g < layout.groups(); ++g) {
      const index k = layout.columns_of(g);
      decode_tile_codes<Codec>(W_.tile(row_tile, g), rows_, k, codes_.data());
      const matrix parameters = W_.tile_parameters(row_tile, g);
      const index border = W_.class_border(g);
      for (index first = 0; first < k;) {
        const index end = std::min({first + float_segment, first < border ? border : k, k});
        expand(parameters, first < border ? 1 : 0, first, end);
        accumulate(x_ + layout.first_column(g) + first, end - first);
        first = end;
      }
    }
  }

  /// Sum for token t and row r of the tile.
  [[nodiscard]] float sum(index t, index r) const { return sums_[static_cast<std::size_t>(t * tile_rows + r)]; }

 private:
  /// Weights of the stored columns first ... end-1, all of one class.
  void expand(const matrix& parameters, int column_class, index first, index end) {
    std::array<std::array<float, tile_rows>, Codec::components + 1> a{};
    for (index r = 0; r < rows_; ++r) {
      const auto coefficients = W_.codec().coefficients(parameters.row(r).data(), column_class);
      for (std::size_t i = 0; i < a.size(); ++i) a[i][static_cast<std::size_t>(r)] = coefficients[i];
    }
    for (index c = first; c < end; ++c) {
      const code* q = codes_.data() + c * rows_;
      float* out = columns_.data() + (c - first) * tile_rows;
      for (index r = 0; r < rows_; ++r) {
        float w = a.back()[static_cast<std::size_t>(r)];
        for (int i = 0; i < Codec::components; ++i) {
          w += a[static_cast<std::size_t>(i)][static_cast<std::size_t>(r)] *
               static_cast<float>(Codec::component(q[r], i));
        }
        out[r] = w;
      }
    }
  }

  /// sums[t] += sum_c x[t][c] * column c, for all tokens.
  void accumulate(const float* x, index count) {
    index t = 0;
    for (; t + 4 <= tokens_; t += 4) {
      accumulate_columns<Arch, 4>(columns_.data(), count, x + t * stride_, stride_, sums_.data() + t * tile_rows);
    }
    for (; t < tokens_; ++t) {
      accumulate_columns<Arch, 1>(columns_.data(), count, x + t * stride_, stride_, sums_.data() + t * tile_rows);
    }
  }

  const packed_matrix<Codec>& W_;
  const float* x_;
  index stride_;
  index tokens_;
  index rows_ = 0;
  std::vector<code> codes_;        // [columns of the group][rows_]
  aligned_buffer<float> columns_;  // [segment][tile_rows]; rows beyond rows_ are never used
  aligned_buffer<float> sums_;     // [tokens][tile_rows]
};

}  // namespace luq::detail
