// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A product by its stages (product_stages.hpp): what stands around them, memory and threads. Work is cut by rows of W,
// and each task takes a stretch of neighbouring row tiles: one contiguous range of bytes, for memory is read fastest
// front to back. No result depends on the cut.
#pragma once

#include <algorithm>
#include <span>

#include "luq/codecs/packed_matrix.hpp"
#include "luq/core/executor.hpp"
#include "luq/kernels/cpu/stages/product_stages.hpp"
#include "luq/kernels/cpu/stages/scratch_array.hpp"
#include "luq/kernels/matmul_options.hpp"

namespace luq::detail {

/// Calls task(first, end) for contiguous parts of `count` items.
/// @tparam Tag  see scratch_array
template <class Tag, class Task>
void for_contiguous_parts(index count, executor_ref executor, Task&& task) {
  const index parts = std::min<index>(count, (std::max)(executor.concurrency(), 1));
  executor.parallel_for(parts, [&](index part) { task(count * part / parts, count * (part + 1) / parts); });
}

template <class Stages, WeightCodec Codec>
void multiply_floats(const Stages& stages, const packed_matrix<Codec>& W, const matrix_view& X, const product_output& Y,
                     executor_ref executor) {
  const run_list<Stages> runs(W);
  float_activations activations{X.data(), X.outerStride(), X.rows(), runs.all()};
  const std::span<const index> columns = W.stored_columns();
  const scratch_array<float, Stages> reordered(columns.empty() ? 0 : X.rows() * X.cols());
  if (!columns.empty()) {
    float* to = reordered.data();
    activations.data = to;
    activations.stride = X.cols();
    for (index t = 0; t < X.rows(); ++t) {
      const float* x = X.data() + t * X.outerStride();
      for (const index c : columns) *to++ = x[c];
    }
  }
  const packed_view<Codec> view(W);
  for_contiguous_parts<Stages>(W.layout().row_tiles(), executor, [&](index first, index end) {
    const scratch_array<std::byte, Stages> scratch(float_scratch_bytes<Stages>(W, X.rows()));
    stages.multiply_floats(view, activations, Y, scratch.data(), first, end);
  });
}

/// A single token is multiplied with tables.
template <class Stages, WeightCodec Codec>
[[nodiscard]] bool takes_tables(const Stages& stages, const packed_matrix<Codec>& W, activation_mode mode) {
  if constexpr (has_sign_sums<Codec>) {
    const index group = group_size(W.codec(), W.cols());
    const bool has_tails = W.cols() % unit_columns<Codec> != 0 || group % unit_columns<Codec> != 0;
    return stages.has_tables && mode == activation_mode::lookup && !has_tails;
  } else {
    return false;
  }
}

/// @param X  [tokens x in], tokens `stride` floats apart
template <class Stages, WeightCodec Codec>
void multiply_integers(const Stages& stages, const packed_matrix<Codec>& W, const float* X, index stride, index tokens,
                       const product_output& Y, activation_mode mode, executor_ref executor) {
  const quantized_activations<Stages> quantized(W, tokens, takes_tables(stages, W, mode));
  const auto quantize_blocks = [&](index first, index end) { stages.quantize(X, stride, first, end, quantized); };
  if (quantized.blocks() == 1) {  // less work than waking a thread
    quantize_blocks(0, 1);
  } else {
    for_contiguous_parts<Stages>(quantized.blocks(), executor, quantize_blocks);
  }
  const packed_view<Codec> view(W);
  for_contiguous_parts<Stages>(W.layout().row_tiles(), executor, [&](index first, index end) {
    const scratch_array<std::byte, Stages> scratch(integer_scratch_bytes<Stages>(W, tokens));
    stages.multiply_integers(view, quantized, Y, scratch.data(), first, end);
  });
}

/// The product of the codes' own matrix Q with inputs that are transformed already.
template <class Stages, WeightCodec Codec>
void multiply_transformed(const Stages& stages, const packed_matrix<Codec>& W, const matrix_view& X,
                          const product_output& Y, activation_mode mode, executor_ref executor) {
  if (mode == activation_mode::float32) {
    multiply_floats(stages, W, X, Y, executor);
  } else {
    multiply_integers(stages, W, X.data(), X.outerStride(), X.rows(), Y, mode, executor);
  }
}

/// The product by the given stages.
/// @tparam Stages  included_stages, or what has the same members; see also scratch_array
template <class Stages, WeightCodec Codec>
void multiply(const Stages& stages, const packed_matrix<Codec>& W, const matrix_view& X, mutable_matrix_view Y,
              const matmul_options& options, executor_ref executor) {
  LUQ_ASSERT(X.cols() == W.cols() && Y.rows() == X.rows() && Y.cols() == W.rows());
  if (X.rows() == 0 || W.rows() == 0) return;
  recognise_processor();
  const product_output output{Y.data(), Y.outerStride(), options.bias, options.accumulate};
  if (W.transform()) {
    matrix inputs = X;
    W.transform()->transform_activations(inputs, executor);
    multiply_transformed(stages, W, inputs, output, options.activations, executor);
  } else {
    multiply_transformed(stages, W, X, output, options.activations, executor);
  }
}

}  // namespace luq::detail
