// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Y = X W^T with activations in float, row tile by row tile: the product with the unpacked matrix, to float rounding.
// Lanes are rows of W. The columns of a tile are expanded to floats [column][row], a run (activations.hpp) at a time
// and once for all tokens, and x_c times column c is added to 64 sums for each token.
//
// It is for exactness: a single token takes several times what reading the weights would (integer_product.hpp).
#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <xsimd/xsimd.hpp>

#include "luq/kernels/cpu/lanes/float_arch.hpp"
#include "luq/kernels/cpu/operands/tile_decoder.hpp"
#include "luq/kernels/cpu/planes/tile_parameters.hpp"
#include "luq/kernels/cpu/stages/activations.hpp"
#include "luq/kernels/cpu/stages/product_arguments.hpp"

namespace luq::detail {

/// Activations in float, columns in stored order.
struct float_activations {
  const float* data;  ///< first token
  index stride;       ///< floats from token to token
  index tokens;
  std::span<const activation_run> runs;  ///< of the matrix
};

/// Memory that the product of some row tiles needs beside its arguments, on any instruction set; rewritten freely.
/// @tparam Tag  see scratch_array
template <class Tag, class Codec>
[[nodiscard]] index float_scratch_bytes(const packed_matrix<Codec>& W, index tokens) {
  const index floats = (longest_run + tokens) * tile_rows * static_cast<index>(sizeof(float));
  const index codes = group_size(W.codec(), W.cols()) * tile_rows * static_cast<index>(sizeof(code));
  return floats + codes + parameter_bytes(W.codec(), tile_rows);
}

/// sums[t][r] += sum_c x[t][c] columns[c][r] for 64 rows r and `Tokens` tokens.
/// @param columns  [count][tile_rows], aligned
/// @param x        first token; tokens are `x_stride` floats apart
/// @param sums     [Tokens][tile_rows], aligned
template <class Arch, int Tokens>
void accumulate_columns(const float* columns, index count, const float* x, index x_stride, float* sums) {
  using batch = xsimd::batch<float, float_arch<Arch>>;
  constexpr index lanes = static_cast<index>(batch::size);
  // 4 vectors x 4 tokens of sums: enough chains to hide the latency of a fused multiply-add.
  constexpr index vectors = 4;
  constexpr index rows_at_once = (std::min)(vectors * lanes, tile_rows);
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

/// One row tile after the other of a product.
template <class Arch, WeightCodec Codec>
class float_product {
  using lanes = integer_lanes<Arch>;

 public:
  /// @param scratch  float_scratch_bytes() bytes, aligned to a cache line
  float_product(const packed_view<Codec>& W, const float_activations& X, std::byte* scratch)
      : W_(W),
        X_(X),
        columns_(reinterpret_cast<float*>(scratch)),
        sums_(columns_ + longest_run * tile_rows),
        codes_(reinterpret_cast<code*>(sums_ + X.tokens * tile_rows)),
        padded_(reinterpret_cast<std::byte*>(codes_ + W.layout().columns_of(0) * tile_rows)) {}

  void multiply(index row_tile, const product_output& Y) {
    const auto& layout = W_.layout();
    const index h = layout.rows_of(row_tile);
    std::memset(static_cast<void*>(sums_), 0, static_cast<std::size_t>(X_.tokens * tile_rows) * sizeof(float));
    const std::byte* tile = W_.row_tile(row_tile);
    auto run = X_.runs.begin();
    for (index g = 0; g < layout.groups(); ++g) {
      const index k = layout.columns_of(g);
      const index code_bytes = layout.code_bytes(h, k);
      decode_tile_codes<Arch, Codec>({tile, static_cast<std::size_t>(code_bytes)}, h, k, codes_);
      const std::byte* parameters_of_tile = tile + code_bytes;
      if (h < tile_rows) {
        pad_parameters<Arch>(W_.codec(), parameters_of_tile, h, padded_);
        parameters_of_tile = padded_;
      }
      const tile_parameters<Arch, Codec> parameters(W_.codec(), parameters_of_tile);
      for (; run != X_.runs.end() && run->group == g; ++run) {
        expand(parameters, *run, h);
        accumulate(X_.data + layout.first_column(g) + run->first, run->end - run->first);
      }
      tile += layout.tile_bytes(h, k);
    }
    write_sums<Arch>(sums_, row_tile, h, 0, X_.tokens, Y);
  }

 private:
  /// Weights of the columns of a run; 0 in rows that do not exist.
  void expand(const tile_parameters<Arch, Codec>& parameters, const activation_run& run, index h) {
    alignas(64) float a[component_count<Codec> + 1][tile_rows];
    for (index r = 0; r < tile_rows; r += lanes::lanes) {
      const auto of_rows = parameters.coefficients(run.column_class, r);
      for (std::size_t i = 0; i < of_rows.size(); ++i) lanes::store_floats(a[i] + r, of_rows[i]);
    }
    float* out = columns_;
    for (index c = run.first; c < run.end; ++c, out += tile_rows) {
      const code* q = codes_ + c * h;
      for (index r = 0; r < h; ++r) {
        float w = a[component_count<Codec>][r];
        for (int i = 0; i < component_count<Codec>; ++i) w += a[i][r] * static_cast<float>(Codec::component(q[r], i));
        out[r] = w;
      }
      for (index r = h; r < tile_rows; ++r) out[r] = 0;
    }
  }

  /// sums[t] += sum_c x[t][c] * column c, for all tokens.
  void accumulate(const float* x, index count) {
    index t = 0;
    for (; t + 4 <= X_.tokens; t += 4) {
      accumulate_columns<Arch, 4>(columns_, count, x + t * X_.stride, X_.stride, sums_ + t * tile_rows);
    }
    for (; t < X_.tokens; ++t) {
      accumulate_columns<Arch, 1>(columns_, count, x + t * X_.stride, X_.stride, sums_ + t * tile_rows);
    }
  }

  const packed_view<Codec>& W_;
  const float_activations& X_;
  float* columns_;     // [columns of a run][tile_rows]
  float* sums_;        // [tokens][tile_rows]
  code* codes_;        // [columns of the group][rows of the tile]
  std::byte* padded_;  // parameters of a partial tile
};

}  // namespace luq::detail
