// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What a quantizer is: the search for the codes of one weight matrix under the Hessian of its inputs. It knows how
// error travels from column to column, not what a code means; every quantizer works with every codec.
#pragma once

#include <concepts>
#include <span>

#include "luq/codecs/coded_matrix.hpp"
#include "luq/codecs/weight_codec.hpp"
#include "luq/core/executor.hpp"
#include "luq/core/matrix_view.hpp"

namespace luq {

/// What a quantizer found out on its way.
struct quantize_report {
  double damp = 0;         ///< share of mean_live_diagonal(H) added to the diagonal; 0 if no Hessian was factorised
  int factorizations = 0;  ///< attempts of the damping ladder
  /// Inputs that were zero for every token of the Hessian that was factorised. Their weights were set to zero before
  /// they were coded, as published with GPTQ: what they would do to inputs other than those seen is lost.
  index dead_columns = 0;
  double loss = 0;         ///< sum of (w - q)^2 / U_jj^2 over all weights as they stood when coded; 0 without a Hessian
};

/// quantizer(W, H, codec, executor, report) returns the codes of W [out x in]. H [in x in] is symmetric, any positive
/// multiple of sum_t x_t x_t^T; a quantizer with `needs_hessian == false` also takes an empty H.
/// W and H are finite (luq::quantize checks) and are not changed.
template <class Q>
concept Quantizer = requires(const Q quantizer) {
  { Q::needs_hessian } -> std::convertible_to<bool>;
};

namespace detail {

/// Rows that one task quantizes, a multiple of a tile's: enough for a matrix product to pay, few enough for a copy of
/// them to be small beside the weights. 128 are a tenth faster, but with two threads take 16 % of the memory of a
/// 4096 x 4096 linear and its Hessian instead of 11 %.
inline constexpr index row_chunk = 64;

[[nodiscard]] inline index row_chunks(index rows) {
  return (rows + row_chunk - 1) / row_chunk;
}

/// Calls task(first_row, rows) for each chunk of rows.
template <class Task>
void for_each_row_chunk(index rows, executor_ref executor, Task&& task) {
  executor.parallel_for(row_chunks(rows), [&](index chunk) {
    const index first = chunk * row_chunk;
    task(first, (std::min)(row_chunk, rows - first));
  });
}

/// Fits one group of all rows. Codecs whose rows are independent are fitted chunk by chunk in parallel; one whose
/// columns have classes must see all rows at once.
template <WeightCodec Codec>
[[nodiscard]] group_parameters fit_group(const Codec& codec, const matrix_view& W, std::span<const float> importance,
                                         executor_ref executor) {
  if constexpr (requires { codec.fit(W, importance, executor); }) {
    return codec.fit(W, importance, executor);
  } else if constexpr (Codec::column_classes > 1) {
    return codec.fit(W, importance);
  } else {
    group_parameters result{matrix(W.rows(), Codec::parameter_count), {}};
    for_each_row_chunk(W.rows(), executor, [&](index first, index rows) {
      result.values.middleRows(first, rows) = codec.fit(W.middleRows(first, rows), importance).values;
    });
    return result;
  }
}

/// Likewise for codes and parameters.
template <WeightCodec Codec>
[[nodiscard]] coded_group code_group_of_all_rows(const Codec& codec, const matrix_view& W,
                                                 std::span<const float> importance, executor_ref executor) {
  if constexpr (Codec::column_classes > 1) {
    return code_group(codec, W, importance, executor);
  } else {
    coded_group result{{matrix(W.rows(), Codec::parameter_count), {}}, basic_matrix<code>(W.rows(), W.cols())};
    for_each_row_chunk(W.rows(), executor, [&](index first, index rows) {
      const coded_group chunk = code_group(codec, matrix_view(W.middleRows(first, rows)), importance);
      result.parameters.values.middleRows(first, rows) = chunk.parameters.values;
      result.codes.middleRows(first, rows) = chunk.codes;
    });
    return result;
  }
}

}  // namespace detail
}  // namespace luq
