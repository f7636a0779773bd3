// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Y = X W^T on packed weights, for every codec, in one of three ways that differ in what happens to the activations:
//
//   float32   float_product.hpp     as they are: the product is that with the unpacked matrix, to float rounding
//   int8      integer_product.hpp   rounded to 8 bits for each token and run of columns: as fast as weights can be read
//   lookup    the same              for a single token and sign planes, sums of four rounded to 8 bits: faster still
//
// Work is cut by rows of W, and each task takes a stretch of neighbouring row tiles: one contiguous range of bytes, for
// memory is read fastest front to back. No result depends on the cut.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "luq/codecs/packed_matrix.hpp"
#include "luq/core/aligned_buffer.hpp"
#include "luq/core/executor.hpp"
#include "luq/kernels/activations.hpp"
#include "luq/kernels/float_product.hpp"
#include "luq/kernels/integer_product.hpp"

namespace luq {

struct matmul_options {
  activation_mode activations = activation_mode::float32;
  bool accumulate = false;     ///< add to Y instead of overwriting it
  const float* bias = nullptr; ///< [out], added to each token's row; null for none
};

namespace detail {

/// Calls task(first, end) for contiguous parts of `count` items.
template <Executor E, class Task>
void for_contiguous_parts(index count, const E& executor, Task&& task) {
  const index parts = std::min<index>(count, std::max(executor.concurrency(), 1));
  executor.parallel_for(parts, [&](index part) { task(count * part / parts, count * (part + 1) / parts); });
}

template <class Arch, WeightCodec Codec, Executor E>
void multiply_floats(const packed_matrix<Codec>& W, const matrix_view& X, const product_output& Y, const E& executor) {
  matrix reordered;
  const float* x = X.data();
  index stride = X.outerStride();
  if (const std::vector<index>& columns = W.stored_columns(); !columns.empty()) {
    reordered.resize(X.rows(), X.cols());
    for (index t = 0; t < X.rows(); ++t) {
      for (index c = 0; c < X.cols(); ++c) reordered(t, c) = X(t, columns[static_cast<std::size_t>(c)]);
    }
    x = reordered.data();
    stride = reordered.cols();
  }
  for_contiguous_parts(W.layout().row_tiles(), executor, [&](index first, index end) {
    float_product<Arch, Codec> product(W, x, stride, X.rows());
    for (index row_tile = first; row_tile < end; ++row_tile) {
      product.run(row_tile);
      for (index t = 0; t < X.rows(); ++t) {
        for (index r = 0; r < W.layout().rows_of(row_tile); ++r) {
          const index row = row_tile * tile_rows + r;
          float& y = Y.data[t * Y.stride + row];
          y = (Y.accumulate ? y : 0.0f) + (Y.bias != nullptr ? Y.bias[row] : 0.0f) + product.sum(t, r);
        }
      }
    }
  });
}

/// Tables that a single token is multiplied with, if any.
template <class Arch, WeightCodec Codec>
[[nodiscard]] std::optional<table_kind> tables_for(const packed_matrix<Codec>& W, activation_mode mode) {
  if constexpr (integer_lanes<Arch>::has_table_of_64 && has_exact_forms<Codec> && has_bit_planes<Codec>) {
    const index group = group_size(W.codec(), W.cols());
    const bool has_tails = W.cols() % unit_columns<Codec> != 0 || group % unit_columns<Codec> != 0;
    const bool wants_rounded = mode == activation_mode::lookup && has_only_bit_planes<Codec> && !has_tails;
    return wants_rounded ? table_kind::rounded : table_kind::exact;
  } else {
    return std::nullopt;
  }
}

template <class Arch, WeightCodec Codec, Executor E>
void multiply_integers(const packed_matrix<Codec>& W, const matrix_view& X, const product_output& Y,
                       activation_mode mode, const E& executor) {
  const std::optional<table_kind> tables = tables_for<Arch>(W, mode);
  if (tables == table_kind::rounded && X.rows() > 1 && X.rows() < tokens_of_block) {  // faster one by one
    for (index t = 0; t < X.rows(); ++t) {
      const product_output y{Y.data + t * Y.stride, Y.stride, Y.bias, Y.accumulate};
      multiply_integers<Arch>(W, X.middleRows(t, 1), y, mode, executor);
    }
    return;
  }
  quantized_activations quantized(W, X.rows(), tables);
  const auto quantize_blocks = [&](index first, index end) {
    for (index block = first; block < end; ++block) {
      quantize_block<Arch>(X.data(), X.outerStride(), block, quantized);
    }
  };
  if (quantized.blocks() == 1) {  // less work than waking a thread
    quantize_blocks(0, 1);
  } else {
    for_contiguous_parts(quantized.blocks(), executor, quantize_blocks);
  }
  for_contiguous_parts(W.layout().row_tiles(), executor, [&](index first, index end) {
    aligned_buffer<std::byte> scratch(static_cast<std::size_t>(scratch_bytes(W, X.rows())));
    integer_product<Arch, Codec> product(W, quantized, scratch.data());
    for (index row_tile = first; row_tile < end; ++row_tile) product.multiply(row_tile, Y);
  });
}

}  // namespace detail

/// Y = X W^T, or Y += X W^T, plus a bias if there is one.
/// @param W  packed [out x in]
/// @param X  [tokens x in] row-major, any stride and alignment, any number of tokens; read only; must not alias Y
/// @param Y  [tokens x out]
/// Relative error: float rounding in float32 mode, at most 1e-5 of ||Y|| in practice; in int8 mode that of rounding
/// activations (activations.hpp) and, from tokens_of_levels tokens on, levels (integer_product.hpp), below 2e-2 of ||Y||
/// for dense activations. Not-a-number activations give not-a-number results.
template <class Arch = default_arch, WeightCodec Codec, Executor E = serial_executor>
void matmul(const packed_matrix<Codec>& W, const matrix_view& X, mutable_matrix_view Y,
            const matmul_options& options = {}, const E& executor = {}) {
  LUQ_ASSERT(X.cols() == W.cols() && Y.rows() == X.rows() && Y.cols() == W.rows());
  if (X.rows() == 0 || W.rows() == 0) return;
  const product_output output{Y.data(), Y.outerStride(), options.bias, options.accumulate};
  if (options.activations == activation_mode::float32) {
    detail::multiply_floats<Arch>(W, X, output, executor);
  } else {
    detail::multiply_integers<Arch>(W, X, output, options.activations, executor);
  }
}

}  // namespace luq
