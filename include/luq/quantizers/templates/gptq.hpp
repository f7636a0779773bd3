// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Column feedback for one codec.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

#include "luq/core/detail/block_view.hpp"
#include "luq/core/detail/matrix_products.hpp"
#include "luq/core/detail/row_operations.hpp"
#include "luq/core/detail/row_pointer.hpp"
#include "luq/core/error.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/quantizers/detail/drift_coupling.hpp"
#include "luq/quantizers/gptq.hpp"

namespace luq {
namespace detail {

/// The steps of column feedback under some options.
class column_feedback {
 public:
  /// @param drift  D of the inputs, or null
  column_feedback(const gptq& options, const matrix* drift) : options_(options), drift_(drift) {}

  template <MemorylessCodec Codec>
  [[nodiscard]] coded_matrix<Codec> codes(const matrix_view& W, const hessian_factor& factor, const Codec& codec,
                                          executor_ref executor, quantize_report& report) const {
    check(W, factor, codec);
    if constexpr (column_class_count<Codec> > 1) {
      return code_rows(W, factor, coupling(factor, executor), codec, executor, report);
    } else {
      coded_matrix<Codec> result(codec, W.rows(), W.cols());
      for (group_parameters& group : result.groups) group.values.resize(W.rows(), parameter_count<Codec>);
      code_in_chunks(W, factor, codec, executor, report, [&](index first, const coded_matrix<Codec>& chunk) {
        std::copy_n(chunk.codes.data(), chunk.codes.size(), result.codes.data() + first * W.cols());
        for (std::size_t g = 0; g < result.groups.size(); ++g) {
          copy_to_block(chunk.groups[g].values, result.groups[g].values, first, 0);
        }
      });
      return result;
    }
  }

  template <MemorylessCodec Codec>
  [[nodiscard]] packed_matrix<Codec> packed(const matrix_view& W, const hessian_factor& factor, const Codec& codec,
                                            executor_ref executor, quantize_report& report) const {
    if constexpr (column_class_count<Codec> > 1) {
      return pack(codes(W, factor, codec, executor, report));
    } else {
      check(W, factor, codec);
      static_assert(row_chunk % tile_rows == 0);
      const tile_layout layout(codec, W.rows(), W.cols());
      aligned_buffer<std::byte> bytes(static_cast<std::size_t>(layout.bytes()));
      code_in_chunks(W, factor, codec, executor, report, [&](index first, const coded_matrix<Codec>& chunk) {
        const packed_matrix<Codec> tiles = pack(chunk);
        std::copy(tiles.bytes().begin(), tiles.bytes().end(), bytes.begin() + layout.tile_offset(first / tile_rows, 0));
      });
      return {codec, W.rows(), W.cols(), std::move(bytes)};
    }
  }

 private:
  /// P of gptq.hpp, in the order of the factor; empty without drift.
  [[nodiscard]] matrix coupling(const hessian_factor& factor, executor_ref executor) const {
    if (options_.drift_share == 0) return {};
    return drift_coupling(*drift_, static_cast<float>(options_.drift_share), factor, executor);
  }

  static constexpr index piece = 1024;  // columns that one product updates, which bounds the memory it takes
  static constexpr index strip = 16;    // columns whose feedback to one another is applied row by row

  /// Whether each group of `size` columns is visited as a whole, a shorter one last.
  [[nodiscard]] static bool visits_groups(const hessian_factor& factor, index size) {
    for (index j = 0; j < factor.U.rows(); ++j) {
      if (factor.input(j) / size != factor.input(j / size * size) / size) return false;
    }
    return true;
  }

  template <WeightCodec Codec>
  void check(const matrix_view& W, const hessian_factor& factor, const Codec& codec) const {
    if (options_.block < 1) fail(errc::invalid_argument, "gptq: expected block >= 1, got ", options_.block);
    if (factor.U.rows() != W.cols()) {
      fail(errc::shape_mismatch, "gptq: expected a factor of ", W.cols(), " inputs, got ", factor.U.rows());
    }
    if (factor.order.empty() != (options_.order == column_order::natural) && W.cols() > 0) {
      fail(errc::invalid_argument, "gptq: expected a factor made for ",
           options_.order == column_order::natural ? "natural" : "activation or group-aware",
           " order, got one for the other");
    }
    if (options_.order == column_order::group_aware && !visits_groups(factor, group_size(codec, W.cols()))) {
      fail(errc::invalid_argument, "gptq: expected a factor that visits groups of codec ", codec_name(codec),
           " as a whole, got one for others");
    }
    if (!is_finite(options_.drift_share) || options_.drift_share < 0 || options_.drift_share > 1) {
      fail(errc::invalid_argument, "gptq: expected a drift_share of 0 ... 1, got ", options_.drift_share);
    }
    if (options_.drift_share != 0 && drift_ == nullptr) {
      fail(errc::insufficient_data, "gptq: drift_share ", options_.drift_share,
           ": expected inputs with a drift (linear_inputs::set_drift), got none");
    }
  }

  /// Codes each chunk of rows for itself and hands it to deliver(first_row, coded_matrix), concurrently.
  template <WeightCodec Codec, class Deliver>
  void code_in_chunks(const matrix_view& W, const hessian_factor& factor, const Codec& codec, executor_ref executor,
                      quantize_report& report, Deliver&& deliver) const {
    std::vector<double> loss(static_cast<std::size_t>(row_chunks(W.rows())), 0.0);
    const matrix P = coupling(factor, executor);
    for_each_row_chunk(W.rows(), executor, [&](index first, index rows) {
      quantize_report chunk_report;
      deliver(first,
              code_rows(block_view(W, first, 0, rows, W.cols()), factor, P, codec, serial_executor{}, chunk_report));
      loss[static_cast<std::size_t>(first / row_chunk)] = chunk_report.loss;
    });
    describe(factor, report);
    report.loss = std::accumulate(loss.begin(), loss.end(), 0.0);
  }

  static void describe(const hessian_factor& factor, quantize_report& report) {
    report.damp = factor.damp;
    report.factorizations = factor.factorizations;
    report.dead_columns = std::count(factor.dead.begin(), factor.dead.end(), 1);
  }

  /// Codes rows that share a fit: a chunk of them, or all where the codec has column classes.
  template <WeightCodec Codec>
  [[nodiscard]] coded_matrix<Codec> code_rows(const matrix_view& W, const hessian_factor& factor, const matrix& P,
                                              const Codec& codec, executor_ref executor,
                                              quantize_report& report) const {
    matrix working(W.rows(), W.cols());  // columns in the order of the factor
    for (index r = 0; r < W.rows(); ++r) {
      for (index j = 0; j < W.cols(); ++j) {
        working(r, j) = factor.dead[static_cast<std::size_t>(j)] != 0 ? 0.0f : W(r, factor.input(j));
      }
    }
    coded_matrix<Codec> result(codec, W.rows(), W.cols());
    const tile_layout layout(codec, W.rows(), W.cols());
    const bool fit_first = options_.static_groups || options_.order == column_order::activation;
    if (fit_first) fit_all_groups(working, factor, layout, executor, result);

    std::vector<double> chunk_loss(static_cast<std::size_t>(row_chunks(W.rows())), 0.0);
    for (index begin = 0; begin < W.cols();) {
      const index end = next_stop<Codec>(begin, W.cols(), group_size(codec, W.cols()), fit_first);
      if (!fit_first && !fits_within_blocks<Codec>()) {
        fit_groups_that_begin(begin, end, working, factor, layout, executor, result);
      }
      for_each_row_chunk(W.rows(), executor, [&](index first, index rows) {
        chunk_loss[static_cast<std::size_t>(first / row_chunk)] +=
            code_block(begin, end, first, rows, factor, P, layout, fit_first, working, result);
      });
      begin = end;
    }
    describe(factor, report);
    report.loss = std::accumulate(chunk_loss.begin(), chunk_loss.end(), 0.0);
    return result;
  }

  /// Whether a group that begins inside a block is fitted there, by the task that codes its rows.
  template <WeightCodec Codec>
  [[nodiscard]] bool fits_within_blocks() const {
    return options_.fit == group_fit::current && column_class_count<Codec> == 1;
  }

  /// Where the block that starts at `begin` ends: at the next multiple of options_.block, or earlier, at the start of a
  /// group that would straddle it, because a group is fitted only after all feedback from earlier columns. A codec
  /// with column classes fits over all rows, so each of its groups starts a block.
  template <WeightCodec Codec>
  [[nodiscard]] index next_stop(index begin, index cols, index group, bool fit_first) const {
    const index end = (std::min)((begin / options_.block + 1) * options_.block, cols);
    if (fit_first || options_.fit != group_fit::current) return end;
    if (!fits_within_blocks<Codec>()) return (std::min)(end, (begin / group + 1) * group);
    const index last_start = (end - 1) / group * group;
    return last_start > begin && last_start + group > end && end < cols ? last_start : end;
  }

  /// Static groups: parameters from the weights as given (dead columns zero), in stored order of columns.
  template <WeightCodec Codec>
  void fit_all_groups(const matrix& working, const hessian_factor& factor, const tile_layout<Codec>& layout,
                      executor_ref executor, coded_matrix<Codec>& result) const {
    std::vector<index> place(static_cast<std::size_t>(working.cols()));
    for (index j = 0; j < working.cols(); ++j) place[static_cast<std::size_t>(factor.input(j))] = j;
    for (index g = 0; g < layout.groups(); ++g) {
      matrix group(working.rows(), layout.columns_of(g));
      std::vector<float> importance;
      for (index c = 0; c < group.cols(); ++c) {
        const index j = place[static_cast<std::size_t>(layout.first_column(g) + c)];
        for (index r = 0; r < group.rows(); ++r) group(r, c) = working(r, j);  // no column view: there may be no rows
        if (fit_is_weighted<Codec>()) importance.push_back(factor.importance(j, 1)[0]);
      }
      result.groups[static_cast<std::size_t>(g)] = fit_group(result.codec, group, importance, executor);
    }
  }

  template <WeightCodec Codec>
  void fit_groups_that_begin(index begin, index end, const matrix& working, const hessian_factor& factor,
                             const tile_layout<Codec>& layout, executor_ref executor,
                             coded_matrix<Codec>& result) const {
    const index group = group_size(result.codec, working.cols());
    for (index v = (begin + group - 1) / group; v * group < end; ++v) {  // in the order of the factor
      const index g = factor.input(v * group) / group;
      const index columns = layout.columns_of(g);
      std::vector<float> importance =
          fit_is_weighted<Codec>() ? factor.importance(v * group, columns) : std::vector<float>{};
      auto& parameters = result.groups[static_cast<std::size_t>(g)];
      if (factor.order.empty()) {
        parameters =
            fit_group(result.codec, block_view(working, 0, v * group, working.rows(), columns), importance, executor);
        continue;
      }
      matrix stored(working.rows(), columns);
      const std::vector<float> visited = importance;
      for (index c = 0; c < columns; ++c) {
        const index place = factor.input(v * group + c) - g * group;
        for (index r = 0; r < working.rows(); ++r) stored(r, place) = working(r, v * group + c);
        if (!visited.empty()) importance[static_cast<std::size_t>(place)] = visited[static_cast<std::size_t>(c)];
      }
      parameters = fit_group(result.codec, stored, importance, executor);
    }
  }

  /// The classes of a codec with salient columns are a choice among columns, which only importance can tell apart.
  template <WeightCodec Codec>
  [[nodiscard]] bool fit_is_weighted() const {
    return options_.weighted_fit || column_class_count<Codec> > 1;
  }

  /// Codes columns begin ... end-1 of some rows and feeds their errors to the columns after them. Returns the loss.
  template <WeightCodec Codec>
  double code_block(index begin, index end, index first_row, index rows, const hessian_factor& factor, const matrix& P,
                    const tile_layout<Codec>& layout, bool fit_first, matrix& working,
                    coded_matrix<Codec>& result) const {
    const index group = group_size(result.codec, working.cols());
    const matrix& U = factor.U;
    // Row j: what column j feeds forward through U and through P, one number for each row of W.
    matrix errors(end - begin, rows);
    matrix weights(end - begin, rows);
    const auto feed = [&](index first, index last, index target, index target_end) {
      const matrix_view from = block_view(errors, first - begin, 0, last - first, rows);
      const matrix_view of_weights = block_view(weights, first - begin, 0, last - first, rows);
      for (; target < target_end; target += piece) {
        const index columns = (std::min)(piece, target_end - target);
        const mutable_matrix_view after = block_view(working, first_row, target, rows, columns);
        add_product_of_transposed(after, -1.0f, from, block_view(U, first, target, last - first, columns));
        if (P.size() == 0) continue;
        add_product_of_transposed(after, 1.0f, of_weights, block_view(P, first, target, last - first, columns));
      }
    };
    double loss = 0;
    for (index first = begin; first < end;) {
      index last = (std::min)(first + strip, end);
      if (!fit_first && fits_within_blocks<Codec>()) {
        last = (std::min)(last, (first / group + 1) * group);
        if (first % group == 0) {
          fit_groups_that_begin(first, first + 1, working, factor, layout, serial_executor{}, result);
        }
      }
      for (index r = 0; r < rows; ++r) {
        for (index j = first; j < last; ++j) weights(j - begin, r) = working(first_row + r, j);
      }
      loss += code_strip(first, first_row, factor, P, block_view(weights, first - begin, 0, last - first, rows),
                         block_view(errors, first - begin, 0, last - first, rows), result);
      feed(first, last, last, end);
      first = last;
    }
    feed(begin, end, end, working.cols());
    return loss;
  }

  /// Codes the columns of `weights` [columns x rows], which begin at `begin`, one after the other; those among them
  /// that are yet to be coded are changed by those that are.
  template <WeightCodec Codec>
  double code_strip(index begin, index first_row, const hessian_factor& factor, const matrix& P,
                    mutable_matrix_view weights, mutable_matrix_view errors, coded_matrix<Codec>& result) const {
    const index group = group_size(result.codec, result.cols());
    const index rows = weights.cols();
    basic_matrix<code> codes(weights.rows(), rows);
    double loss = 0;
    for (index c = 0; c < weights.rows(); ++c) {
      const index column = factor.input(begin + c);
      const group_parameters& parameters = result.groups[static_cast<std::size_t>(column / group)];
      const int column_class = parameters.class_of(column % group);
      const float* w = row_pointer(weights, c);
      float* error = row_pointer(errors, c);
      const float pivot = factor.U(begin + c, begin + c);
      for (index r = 0; r < rows; ++r) {
        const float* values = parameters.row(first_row + r);
        const code q = result.codec.encode(w[r], values, column_class);
        codes(c, r) = q;
        error[r] = (w[r] - decode_weight(result.codec, q, values, column_class)) / pivot;
      }
      for (index i = c + 1; i < weights.rows(); ++i) {
        float* const later = row_pointer(weights, i);
        add_scaled(later, -factor.U(begin + c, begin + i), error, rows);
        if (P.size() > 0) add_scaled(later, P(begin + c, begin + i), w, rows);
      }
      loss += squared_norm(error, rows);
    }
    for (index r = 0; r < rows; ++r) {
      for (index c = 0; c < weights.rows(); ++c) result.codes(first_row + r, factor.input(begin + c)) = codes(c, r);
    }
    return loss;
  }

  const gptq& options_;
  const matrix* drift_;
};

}  // namespace detail

template <MemorylessCodec Codec>
coded_matrix<Codec> gptq::operator()(const linear_problem& problem, const Codec& codec, const quantize_context& context,
                                     quantize_report& report) const {
  const hessian_factor& factor =
      problem.inputs->factor(factor_options_of(group_size(codec, problem.W.cols())), context.executor);
  return detail::column_feedback(*this, problem.inputs->drift())
      .codes(problem.W, factor, codec, context.executor, report);
}

template <MemorylessCodec Codec>
packed_matrix<Codec> gptq::packed(const linear_problem& problem, const Codec& codec, const quantize_context& context,
                                  quantize_report& report) const {
  const hessian_factor& factor =
      problem.inputs->factor(factor_options_of(group_size(codec, problem.W.cols())), context.executor);
  return detail::column_feedback(*this, problem.inputs->drift())
      .packed(problem.W, factor, codec, context.executor, report);
}

}  // namespace luq
