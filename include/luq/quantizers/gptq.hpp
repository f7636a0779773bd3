// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Column feedback: columns are coded one after the other, and the error of each is fed to the columns not yet coded
// so that the layer's output changes least (Frantar, Ashkboos, Hoefler and Alistarh, GPTQ, ICLR 2023, algorithm 1).
// With U from hessian_factor.hpp, for column j of the weights W [out x in]:
//
//   q_j = decode(encode(w_j)),   e_j = (w_j - q_j) / U_jj,   w_i -= e_j U_ji  for all columns i > j
//
// Updates within a block of columns are applied at once, those to columns after it as one matrix product per block:
// the same result up to rounding for any block. Parameters of a group are fitted to its weights as they stand when
// the first of its columns is reached. Nothing here knows the codec; a sign gains from feedback as an int4 does. Codes
// that depend on each other (SequenceCodec) need beam_search.hpp.
//
// Columns can be taken in order of falling H_jj, so that the inputs that matter are coded while many columns can
// still absorb their error. Groups stay those of the stored matrix (parameters then come from the weights as given,
// "static groups"), so the packed matrix needs no column index at run time.
#pragma once

#include <algorithm>
#include <numeric>
#include <vector>

#include "luq/quantizers/hessian_factor.hpp"
#include "luq/quantizers/quantizer.hpp"

namespace luq {

/// In which order column feedback visits the columns.
enum class column_order {
  natural,     ///< as stored
  activation,  ///< by falling H_jj, ties in natural order; parameters are fitted before the first column is coded
};

/// Which weights the parameters of a group are fitted to, in natural order.
enum class group_fit {
  current,      ///< the weights with all feedback received so far
  block_start,  ///< as published: without the feedback from columns of the same block; differs where group < block
};

struct gptq {
  column_order order = column_order::natural;
  damping_options damping = {};
  bool static_groups = false;  ///< fit all parameters to the weights as given; always so in activation order
  /// Weight the squared error of column j by 1/U_jj^2, its true cost, when fitting. Published GPTQ does not; a codec
  /// that takes the range of the weights as it is (int_codec with int_range::minmax) ignores it either way.
  bool weighted_fit = true;
  group_fit fit = group_fit::current;
  index block = 128;  ///< columns whose feedback is applied at once, >= 1; 128 as published; for speed only

  static constexpr bool needs_hessian = true;

  template <MemorylessCodec Codec, Executor E>
  [[nodiscard]] coded_matrix<Codec> operator()(const matrix_view& W, const matrix_view& H, const Codec& codec,
                                               const E& executor, quantize_report& report) const {
    if (block < 1) fail(errc::invalid_argument, "gptq: expected block >= 1, got ", block);
    const std::vector<index> visit = visiting_order(H);
    hessian_factor factor;
    matrix working(W.rows(), W.cols());  // columns in visiting order
    if (order == column_order::natural) {
      factor = factorize_hessian(H, damping);
      working = W;
    } else {
      factor = factorize_hessian(permuted(H, visit), damping);
      for (index j = 0; j < W.cols(); ++j) working.col(j) = W.col(visit[static_cast<std::size_t>(j)]);
    }
    report.damp = factor.damp;
    report.factorizations = factor.factorizations;
    for (index j = 0; j < W.cols(); ++j) {
      if (factor.dead[static_cast<std::size_t>(j)] == 0) continue;
      ++report.dead_columns;
      working.col(j).setZero();
    }

    coded_matrix<Codec> result(codec, W.rows(), W.cols());
    const tile_layout layout(codec, W.rows(), W.cols());
    const bool fit_first = static_groups || order == column_order::activation;
    if (fit_first) fit_all_groups(working, visit, factor, layout, executor, result);

    std::vector<double> chunk_loss(static_cast<std::size_t>(detail::row_chunks(W.rows())), 0.0);
    for (index begin = 0; begin < W.cols();) {
      const index end = next_stop(begin, W.cols(), group_size(codec, W.cols()), fit_first);
      if (!fit_first) fit_groups_that_begin(begin, end, working, factor, layout, executor, result);
      detail::for_each_row_chunk(W.rows(), executor, [&](index first, index rows) {
        chunk_loss[static_cast<std::size_t>(first / detail::row_chunk)] +=
            code_block(begin, end, first, rows, visit, factor.U, working, result);
      });
      begin = end;
    }
    report.loss = std::accumulate(chunk_loss.begin(), chunk_loss.end(), 0.0);
    return result;
  }

 private:
  [[nodiscard]] std::vector<index> visiting_order(const matrix_view& H) const {
    std::vector<index> visit(static_cast<std::size_t>(H.cols()));
    std::iota(visit.begin(), visit.end(), index{0});
    if (order == column_order::activation) {
      std::stable_sort(visit.begin(), visit.end(), [&](index a, index b) { return H(a, a) > H(b, b); });
    }
    return visit;
  }

  [[nodiscard]] static matrix permuted(const matrix_view& H, const std::vector<index>& visit) {
    matrix result(H.rows(), H.cols());
    for (index i = 0; i < H.rows(); ++i) {
      for (index j = 0; j < H.cols(); ++j) {
        result(i, j) = H(visit[static_cast<std::size_t>(i)], visit[static_cast<std::size_t>(j)]);
      }
    }
    return result;
  }

  /// End of the block that begins at `begin`. A group that must see current weights begins a block of its own.
  [[nodiscard]] index next_stop(index begin, index cols, index group, bool fit_first) const {
    index end = std::min((begin / block + 1) * block, cols);
    if (!fit_first && fit == group_fit::current) end = std::min(end, (begin / group + 1) * group);
    return end;
  }

  /// Static groups: parameters from the weights as given (dead columns zero), in stored order of columns.
  template <WeightCodec Codec, Executor E>
  void fit_all_groups(const matrix& working, const std::vector<index>& visit, const hessian_factor& factor,
                      const tile_layout<Codec>& layout, const E& executor, coded_matrix<Codec>& result) const {
    std::vector<index> place(visit.size());
    for (std::size_t j = 0; j < visit.size(); ++j) place[static_cast<std::size_t>(visit[j])] = static_cast<index>(j);
    for (index g = 0; g < layout.groups(); ++g) {
      matrix group(working.rows(), layout.columns_of(g));
      std::vector<float> importance;
      for (index c = 0; c < group.cols(); ++c) {
        const index j = place[static_cast<std::size_t>(layout.first_column(g) + c)];
        group.col(c) = working.col(j);
        if (fit_is_weighted<Codec>()) importance.push_back(1.0f / (factor.U(j, j) * factor.U(j, j)));
      }
      result.groups[static_cast<std::size_t>(g)] = detail::fit_group(result.codec, group, importance, executor);
    }
  }

  template <WeightCodec Codec, Executor E>
  void fit_groups_that_begin(index begin, index end, const matrix& working, const hessian_factor& factor,
                             const tile_layout<Codec>& layout, const E& executor, coded_matrix<Codec>& result) const {
    const index group = group_size(result.codec, working.cols());
    for (index g = (begin + group - 1) / group; g * group < end; ++g) {
      const index columns = layout.columns_of(g);
      const std::vector<float> importance =
          fit_is_weighted<Codec>() ? factor.importance(g * group, columns) : std::vector<float>{};
      result.groups[static_cast<std::size_t>(g)] =
          detail::fit_group(result.codec, working.middleCols(g * group, columns), importance, executor);
    }
  }

  /// The classes of a codec with salient columns are a choice among columns, which only importance can tell apart.
  template <WeightCodec Codec>
  [[nodiscard]] bool fit_is_weighted() const {
    return weighted_fit || Codec::column_classes > 1;
  }

  /// Codes columns begin ... end-1 of some rows and feeds their errors to the columns after them. Returns the loss.
  template <WeightCodec Codec>
  double code_block(index begin, index end, index first_row, index rows, const std::vector<index>& visit,
                    const matrix& U, matrix& working, coded_matrix<Codec>& result) const {
    const index group = group_size(result.codec, working.cols());
    matrix errors(rows, end - begin);
    double loss = 0;
    for (index r = 0; r < rows; ++r) {
      float* w = working.row(first_row + r).data();
      for (index j = begin; j < end; ++j) {
        const index column = visit[static_cast<std::size_t>(j)];
        const group_parameters& parameters = result.groups[static_cast<std::size_t>(column / group)];
        const float* values = parameters.row(first_row + r);
        const int column_class = parameters.class_of(column % group);
        const code q = result.codec.encode(w[j], values, column_class);
        const float error = (w[j] - result.codec.decode(q, values, column_class)) / U(j, j);
        const float* coupling = U.row(j).data();
        for (index i = j + 1; i < end; ++i) w[i] -= error * coupling[i];
        result.codes(first_row + r, column) = q;
        errors(r, j - begin) = error;
        loss += static_cast<double>(error) * static_cast<double>(error);
      }
    }
    const index rest = working.cols() - end;
    working.block(first_row, end, rows, rest).noalias() -= errors * U.block(begin, end, end - begin, rest);
    return loss;
  }
};

static_assert(Quantizer<gptq>);

}  // namespace luq
