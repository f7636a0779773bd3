// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Y = X W^T on packed weights, for every codec, with one generic SIMD kernel on xsimd: lanes are rows of W.
//
// A task multiplies one row tile. It expands the tile's columns, a segment at a time, to floats [column][row] and adds
// x_c times column c to 64 sums for each token. What is expanded depends on the activations:
//
//   float32   the weights: the product is that with the unpacked matrix, to float rounding
//   int8      the codec's integer components v_i of its linear form w = a_0 + sum_i a_i v_i; with integer activations
//             q = x / scale the sums q.v_i are exact, and y += scale * (a_0 sum q + sum_i a_i (q.v_i))
//
// Each tile is expanded once for all tokens. That makes prefill reasonable and single tokens slow: this kernel is the
// portable one, which all others must agree with, not one that streams codes at the speed of memory.
//
// Tasks are cut by rows of W alone, so the result is the same bits for any number of threads.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>
#include <xsimd/xsimd.hpp>

#include "luq/codecs/packed_matrix.hpp"
#include "luq/core/aligned_buffer.hpp"
#include "luq/core/executor.hpp"
#include "luq/kernels/activations.hpp"
#include "luq/kernels/tile_decoder.hpp"

namespace luq {

struct matmul_options {
  activation_mode activations = activation_mode::float32;
  bool accumulate = false;  ///< add to Y instead of overwriting it
};

namespace detail {

/// sums[t][r] += sum_c x[t][c] columns[c][r] for 64 rows r and `Tokens` tokens.
/// @param columns  [count][tile_rows], aligned
/// @param x        first token; tokens are `x_stride` floats apart
/// @param sums     [Tokens][tile_rows], aligned
template <class Arch, int Tokens>
void accumulate_columns(const float* columns, index count, const float* x, index x_stride, float* sums) {
  using batch = xsimd::batch<float, Arch>;
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
class tile_product {
 public:
  tile_product(const packed_matrix<Codec>& W, const prepared_activations& X, index row_tile)
      : W_(W),
        X_(X),
        row_tile_(row_tile),
        rows_(W.layout().rows_of(row_tile)),
        columns_(static_cast<std::size_t>(activation_segment * tile_rows), 0.0f),
        sums_(static_cast<std::size_t>(X.values.rows() * tile_rows), 0.0f) {}

  void run() {
    const auto& layout = W_.layout();
    const index group_columns = group_size(W_.codec(), W_.cols());
    codes_.resize(static_cast<std::size_t>(group_columns * rows_));
    for (index g = 0; g < layout.groups(); ++g) {
      const index k = layout.columns_of(g);
      decode_tile_codes<Codec>(W_.tile(row_tile_, g), rows_, k, codes_.data());
      const matrix parameters = W_.tile_parameters(row_tile_, g);
      const std::vector<std::uint8_t> classes = W_.column_classes(g);
      const index salient = std::count(classes.begin(), classes.end(), std::uint8_t{1});  // stored first
      for (index first = 0; first < k; first += activation_segment) {
        const index segment = prepared_activations::segments_before(g, group_columns) + first / activation_segment;
        const index end = std::min(first + activation_segment, k);
        const index border = std::clamp(salient, first, end);
        multiply_range(parameters, 1, layout.first_column(g), first, border, segment);
        multiply_range(parameters, 0, layout.first_column(g), border, end, segment);
      }
    }
  }

  /// Sum for token t and row r of the tile.
  [[nodiscard]] float sum(index t, index r) const { return sums_[static_cast<std::size_t>(t * tile_rows + r)]; }

 private:
  using coefficient_rows = std::array<std::array<float, tile_rows>, Codec::components + 1>;

  /// Adds columns first ... end-1 of a group (stored order), all of one class and segment.
  void multiply_range(const matrix& parameters, int column_class, index group_column, index first, index end,
                      index segment) {
    if (first == end) return;
    coefficient_rows a{};
    for (index r = 0; r < rows_; ++r) {
      const auto coefficients = W_.codec().coefficients(parameters.row(r).data(), column_class);
      for (std::size_t i = 0; i < a.size(); ++i) a[i][static_cast<std::size_t>(r)] = coefficients[i];
    }
    const float* x = X_.values.data() + group_column + first;
    if (X_.scales.size() == 0) {
      expand_weights(a, first, end);
      accumulate(x, end - first, sums_.data());
      return;
    }
    for (int i = 0; i < Codec::components; ++i) {
      expand_component(i, first, end);
      dots_.assign(sums_.size(), 0.0f);
      accumulate(x, end - first, dots_.data());
      for (index t = 0; t < X_.values.rows(); ++t) {
        add_scaled(X_.scales(t, segment), a[static_cast<std::size_t>(i)].data(), dots_.data() + t * tile_rows, t);
      }
    }
    for (index t = 0; t < X_.values.rows(); ++t) {
      float q_sum = 0;
      for (index c = 0; c < end - first; ++c) q_sum += x[t * X_.values.cols() + c];
      const std::array<float, tile_rows> ones = filled(q_sum);
      add_scaled(X_.scales(t, segment), a.back().data(), ones.data(), t);
    }
  }

  [[nodiscard]] static std::array<float, tile_rows> filled(float value) {
    std::array<float, tile_rows> result;
    result.fill(value);
    return result;
  }

  void expand_weights(const coefficient_rows& a, index first, index end) {
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

  void expand_component(int i, index first, index end) {
    for (index c = first; c < end; ++c) {
      const code* q = codes_.data() + c * rows_;
      float* out = columns_.data() + (c - first) * tile_rows;
      for (index r = 0; r < rows_; ++r) out[r] = static_cast<float>(Codec::component(q[r], i));
    }
  }

  /// sums[t] += sum_c x[t][c] * column c, for all tokens.
  void accumulate(const float* x, index count, float* sums) const {
    const index stride = X_.values.cols();
    index t = 0;
    for (; t + 4 <= X_.values.rows(); t += 4) {
      accumulate_columns<Arch, 4>(columns_.data(), count, x + t * stride, stride, sums + t * tile_rows);
    }
    for (; t < X_.values.rows(); ++t) {
      accumulate_columns<Arch, 1>(columns_.data(), count, x + t * stride, stride, sums + t * tile_rows);
    }
  }

  void add_scaled(float scale, const float* a, const float* dots, index t) {
    float* sums = sums_.data() + t * tile_rows;
    for (index r = 0; r < rows_; ++r) sums[r] += scale * (a[r] * dots[r]);
  }

  const packed_matrix<Codec>& W_;
  const prepared_activations& X_;
  index row_tile_;
  index rows_;
  std::vector<code> codes_;        // [columns of the group][rows_]
  aligned_buffer<float> columns_;  // [segment][tile_rows]; rows beyond rows_ stay 0
  aligned_buffer<float> sums_;     // [tokens][tile_rows]
  aligned_buffer<float> dots_;     // [tokens][tile_rows]
};

}  // namespace detail

/// Y = X W^T, or Y += X W^T.
/// @param W  packed [out x in]
/// @param X  [tokens x in] row-major, any stride and alignment, any number of tokens; read only; must not alias Y
/// @param Y  [tokens x out]
/// Relative error: float rounding in float32 mode, at most 1e-5 of ||Y|| in practice; in int8 mode that of rounding
/// activations (activations.hpp), below 2e-2 of ||Y|| for dense activations. Not-a-number activations give
/// not-a-number results.
template <class Arch = xsimd::default_arch, WeightCodec Codec, Executor E = serial_executor>
void matmul(const packed_matrix<Codec>& W, const matrix_view& X, mutable_matrix_view Y,
            const matmul_options& options = {}, const E& executor = {}) {
  LUQ_ASSERT(X.cols() == W.cols() && Y.rows() == X.rows() && Y.cols() == W.rows());
  if (X.rows() == 0) return;
  const prepared_activations prepared = prepare_activations(W, X, options.activations, executor);
  executor.parallel_for(W.layout().row_tiles(), [&](index row_tile) {
    detail::tile_product<Arch, Codec> product(W, prepared, row_tile);
    product.run();
    for (index t = 0; t < X.rows(); ++t) {
      for (index r = 0; r < W.layout().rows_of(row_tile); ++r) {
        float& y = Y(t, row_tile * tile_rows + r);
        y = (options.accumulate ? y : 0.0f) + product.sum(t, r);
      }
    }
  });
}

}  // namespace luq
