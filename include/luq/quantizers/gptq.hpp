// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Column feedback: columns are coded one after the other, and the error of each is fed to the columns not yet coded
// so that the layer's output changes least (Frantar, Ashkboos, Hoefler and Alistarh, GPTQ, ICLR 2023, algorithm 1).
// With U from hessian_factor.hpp, for column j of the weights W [out x in]:
//
//   q_j = decode(encode(w_j)),   e_j = (w_j - q_j) / U_jj,   w_i -= e_j U_ji  for all columns i > j
//
// Updates within a strip of 16 columns are applied at once, those to the rest of its block of columns as one product a
// strip, those to the columns after the block as one product a block: the same result up to rounding for any block.
// Rows do not depend on one another, so chunks of them are the tasks. Parameters of a group are fitted to its weights
// as they stand when the first of its columns is reached. Nothing here knows the codec; a sign gains from feedback as
// an int4 does. Codes that depend on each other (SequenceCodec) need beam_search.hpp.
//
// Columns can be taken in order of falling H_jj, so that the inputs that matter are coded while many columns can
// still absorb their error. Groups stay those of the stored matrix (parameters then come from the weights as given,
// "static groups"), so the packed matrix needs no column index at run time.
//
// Group-aware order is a middle course (act_group_aware of GPTQModel): groups are visited by falling mean H_jj, and the
// columns of a group by falling H_jj. All columns of a group are visited together, so its parameters can be fitted to
// weights as they stand when it is reached, which static groups cannot; still no index is needed at run time. On the
// golden linears of the tests it loses 16 to 24 % less output than activation order with one sign a weight, 2 to 8 %
// less with lut2_codec, and up to 14 % more with two-bit integers.
//
// Behind quantized layers the inputs have drifted. Given D of input_drift.hpp, and H of the inputs as they now are,
// what a coded column of weights no longer contributes is fed to the columns after it as well (GPTAQ, Li et al., ICML
// 2025): with P = drift_share * strict_upper(D U^T) U,
//
//   w_i += w_j P_ji   for all columns i > j
//
// Row j of P, at drift_share 1, is the least-squares answer of the columns after j to the drift of input j.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

#include "luq/codecs/packed_matrix.hpp"
#include "luq/core/all_finite.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/core/matrix_products.hpp"
#include "luq/quantizers/hessian_factor.hpp"
#include "luq/quantizers/quantizer.hpp"

namespace luq {

/// In which order column feedback visits the columns.
enum class column_order {
  natural,     ///< as stored
  activation,  ///< by falling H_jj, ties in natural order; parameters are fitted before the first column is coded
  /// Whole groups by falling mean H_jj, a shorter last group last; within a group by falling H_jj.
  group_aware,
};

/// Which weights the parameters of a group are fitted to, in natural order.
enum class group_fit {
  current,      ///< the weights with all feedback received so far
  block_start,  ///< as published: without the feedback from columns of the same block; differs where group < block
};

struct gptq {
  column_order order = column_order::natural;
  index group = 128;  ///< columns of a group in group-aware order, >= 1 or whole_row: must be that of the codec
  damping_options damping = {};
  bool static_groups = false;  ///< fit all parameters to the weights as given; always so in activation order
  /// Weight the squared error of column j by 1/U_jj^2, its true cost, when fitting. Published GPTQ does not; a codec
  /// that takes the range of the weights as it is (int_codec with int_range::minmax) ignores it either way.
  bool weighted_fit = true;
  group_fit fit = group_fit::current;
  const matrix* drift = nullptr;  ///< D [in x in] of input_drift.hpp, read while quantizing; null: no drift
  double drift_share = 0.25;      ///< 0 ... 1, see above; 0.25 as published with GPTAQ, 1 has been better in tests here
  index block = 128;              ///< columns whose feedback is applied at once, >= 1; 128 as published; for speed only

  static constexpr bool needs_hessian = true;

  /// The factor of H [in x in], in the memory of H, with columns in the order in which they are visited. It serves all
  /// linears with the same inputs. @throws luq::error as factorize_hessian
  [[nodiscard]] hessian_factor factorize(matrix&& H, executor_ref executor) const {
    if (order == column_order::natural) return factorize_hessian_in_place(std::move(H), damping, executor);
    std::vector<index> visit(static_cast<std::size_t>(H.cols()));
    std::iota(visit.begin(), visit.end(), index{0});
    std::stable_sort(visit.begin(), visit.end(), [&](index a, index b) { return H(a, a) > H(b, b); });
    if (order == column_order::group_aware) gather_groups(H, visit);
    permute_both_sides(H, visit);
    hessian_factor factor = factorize_hessian_in_place(std::move(H), damping, executor);
    factor.order = std::move(visit);
    return factor;
  }

  template <MemorylessCodec Codec>
  [[nodiscard]] coded_matrix<Codec> operator()(const matrix_view& W, const matrix_view& H, const Codec& codec,
                                               executor_ref executor, quantize_report& report) const {
    return (*this)(W, factorize(matrix(H), executor), codec, executor, report);
  }

  template <MemorylessCodec Codec>
  [[nodiscard]] coded_matrix<Codec> operator()(const matrix_view& W, const hessian_factor& factor, const Codec& codec,
                                               executor_ref executor, quantize_report& report) const {
    check(W, factor, codec);
    if constexpr (Codec::column_classes > 1) {
      return code_rows(W, factor, drift_coupling(factor, executor), codec, executor, report);
    } else {
      coded_matrix<Codec> result(codec, W.rows(), W.cols());
      for (group_parameters& group : result.groups) group.values.resize(W.rows(), Codec::parameter_count);
      code_in_chunks(W, factor, codec, executor, report, [&](index first, const coded_matrix<Codec>& chunk) {
        result.codes.middleRows(first, chunk.rows()) = chunk.codes;
        for (std::size_t g = 0; g < result.groups.size(); ++g) {
          result.groups[g].values.middleRows(first, chunk.rows()) = chunk.groups[g].values;
        }
      });
      return result;
    }
  }

  /// The same, packed. Rows are packed as they are done, so that neither a copy of W nor all codes are ever in memory,
  /// unless the codec has column classes.
  template <MemorylessCodec Codec>
  [[nodiscard]] packed_matrix<Codec> packed(const matrix_view& W, const hessian_factor& factor, const Codec& codec,
                                            executor_ref executor, quantize_report& report) const {
    if constexpr (Codec::column_classes > 1) {
      return pack((*this)(W, factor, codec, executor, report));
    } else {
      check(W, factor, codec);
      static_assert(detail::row_chunk % tile_rows == 0);
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
  static constexpr index piece = 1024;  // columns that one product updates, which bounds the memory it takes
  static constexpr index strip = 16;    // columns whose feedback to one another is applied row by row

  /// Makes whole groups of a visiting order by falling H_jj, each in the order it has there.
  void gather_groups(const matrix& H, std::vector<index>& visit) const {
    if (group < 0) fail(errc::invalid_argument, "gptq: expected group >= 1 or luq::whole_row, got ", group);
    if (group == whole_row) return;
    const index cols = H.cols();
    std::vector<double> mean(static_cast<std::size_t>((cols + group - 1) / group), 0.0);
    for (index j = 0; j < cols; ++j) mean[static_cast<std::size_t>(j / group)] += static_cast<double>(H(j, j));
    // A shorter group comes last, so that group v begins at position v * group.
    if (cols % group != 0) mean.back() = -1;
    std::stable_sort(visit.begin(), visit.end(), [&](index a, index b) {
      const double mean_a = mean[static_cast<std::size_t>(a / group)];
      const double mean_b = mean[static_cast<std::size_t>(b / group)];
      return mean_a > mean_b || (mean_a == mean_b && a / group < b / group);
    });
  }

  /// Whether each group of `size` columns is visited as a whole, a shorter one last.
  [[nodiscard]] static bool visits_groups(const hessian_factor& factor, index size) {
    for (index j = 0; j < factor.U.rows(); ++j) {
      if (factor.input(j) / size != factor.input(j / size * size) / size) return false;
    }
    return true;
  }

  template <WeightCodec Codec>
  void check(const matrix_view& W, const hessian_factor& factor, const Codec& codec) const {
    if (block < 1) fail(errc::invalid_argument, "gptq: expected block >= 1, got ", block);
    if (factor.U.rows() != W.cols()) {
      fail(errc::shape_mismatch, "gptq: expected a factor of ", W.cols(), " inputs, got ", factor.U.rows());
    }
    if (factor.order.empty() != (order == column_order::natural) && W.cols() > 0) {
      fail(errc::invalid_argument, "gptq: expected a factor made for ",
           order == column_order::natural ? "natural" : "activation or group-aware", " order, got one for the other");
    }
    if (order == column_order::group_aware && !visits_groups(factor, group_size(codec, W.cols()))) {
      fail(errc::invalid_argument, "gptq: expected a factor that visits groups of codec ", codec.name(),
           " as a whole, got one made with group ", group);
    }
    if (!is_finite(drift_share) || drift_share < 0 || drift_share > 1) {
      fail(errc::invalid_argument, "gptq: expected a drift_share of 0 ... 1, got ", drift_share);
    }
    if (drift == nullptr) return;
    if (drift->rows() != W.cols() || drift->cols() != W.cols()) {
      fail(errc::shape_mismatch, "gptq: expected the drift of ", W.cols(), " inputs, got a matrix of ", drift->rows(),
           " x ", drift->cols());
    }
    if (!all_finite(*drift)) fail(errc::non_finite, "gptq: drift: expected finite entries, got a NaN or infinity");
  }

  /// H(i, j) = H(visit[i], visit[j]), in place.
  static void permute_both_sides(matrix& H, const std::vector<index>& visit) {
    matrix row(1, H.cols());
    for (index i = 0; i < H.rows(); ++i) {
      for (index j = 0; j < H.cols(); ++j) row(0, j) = H(i, visit[static_cast<std::size_t>(j)]);
      H.row(i) = row;
    }
    std::vector<char> done(visit.size(), 0);
    for (std::size_t start = 0; start < visit.size(); ++start) {
      if (done[start] != 0) continue;
      row = H.row(static_cast<index>(start));
      std::size_t i = start;
      for (; static_cast<std::size_t>(visit[i]) != start; i = static_cast<std::size_t>(visit[i])) {
        H.row(static_cast<index>(i)) = H.row(visit[i]);
        done[i] = 1;
      }
      H.row(static_cast<index>(i)) = row;
      done[i] = 1;
    }
  }

  /// P of the top of this file, in the order of the factor; empty without drift.
  [[nodiscard]] matrix drift_coupling(const hessian_factor& factor, executor_ref executor) const {
    if (drift == nullptr) return {};
    constexpr index tile = 128;
    const matrix& U = factor.U;
    const index n = U.rows();
    const index strips = (n + tile - 1) / tile;
    matrix P = matrix::Zero(n, n);
    executor.parallel_for(strips, [&](index task) {
      // Early rows are more work than late ones. Every second strip first: a contiguous range of tasks has both.
      const index even = (strips + 1) / 2;
      const index first = (task < even ? 2 * task : 2 * (task - even) + 1) * tile;
      const index rows = (std::min)(tile, n - first);
      matrix D(rows, n - first);
      for (index r = 0; r < rows; ++r) {
        for (index c = first; c < n; ++c) D(r, c - first) = (*drift)(factor.input(first + r), factor.input(c));
      }
      matrix T = matrix::Zero(rows, n - first);
      for (index j = first; j < n; j += tile) {
        const index cols = (std::min)(tile, n - j);
        detail::add_product_with_transposed(T.middleCols(j - first, cols), 1.0f, D.rightCols(n - j),
                                            U.block(j, j, cols, n - j));
      }
      for (index r = 0; r < rows; ++r) T.row(r).head(r + 1).setZero();
      T *= static_cast<float>(drift_share);
      for (index j = first; j < n; j += tile) {
        const index cols = (std::min)(tile, n - j);
        detail::add_product(P.block(first, j, rows, cols), 1.0f, T.leftCols(j + cols - first),
                            U.block(first, j, j + cols - first, cols));
      }
    });
    return P;
  }

  /// Codes each chunk of rows for itself and hands it to deliver(first_row, coded_matrix), concurrently.
  template <WeightCodec Codec, class Deliver>
  void code_in_chunks(const matrix_view& W, const hessian_factor& factor, const Codec& codec, executor_ref executor,
                      quantize_report& report, Deliver&& deliver) const {
    std::vector<double> loss(static_cast<std::size_t>(detail::row_chunks(W.rows())), 0.0);
    const matrix P = drift_coupling(factor, executor);
    detail::for_each_row_chunk(W.rows(), executor, [&](index first, index rows) {
      quantize_report chunk_report;
      deliver(first, code_rows(W.middleRows(first, rows), factor, P, codec, serial_executor{}, chunk_report));
      loss[static_cast<std::size_t>(first / detail::row_chunk)] = chunk_report.loss;
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
                                              const Codec& codec, executor_ref executor, quantize_report& report) const {
    matrix working(W.rows(), W.cols());  // columns in the order of the factor
    for (index r = 0; r < W.rows(); ++r) {
      for (index j = 0; j < W.cols(); ++j) {
        working(r, j) = factor.dead[static_cast<std::size_t>(j)] != 0 ? 0.0f : W(r, factor.input(j));
      }
    }
    coded_matrix<Codec> result(codec, W.rows(), W.cols());
    const tile_layout layout(codec, W.rows(), W.cols());
    const bool fit_first = static_groups || order == column_order::activation;
    if (fit_first) fit_all_groups(working, factor, layout, executor, result);

    std::vector<double> chunk_loss(static_cast<std::size_t>(detail::row_chunks(W.rows())), 0.0);
    for (index begin = 0; begin < W.cols();) {
      const index end = next_stop<Codec>(begin, W.cols(), group_size(codec, W.cols()), fit_first);
      if (!fit_first && !fits_within_blocks<Codec>()) {
        fit_groups_that_begin(begin, end, working, factor, layout, executor, result);
      }
      detail::for_each_row_chunk(W.rows(), executor, [&](index first, index rows) {
        chunk_loss[static_cast<std::size_t>(first / detail::row_chunk)] +=
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
    return fit == group_fit::current && Codec::column_classes == 1;
  }

  /// End of the block that begins at `begin`. A group that must see current weights and does not end in the block, or
  /// must see those of all rows, begins a block of its own.
  template <WeightCodec Codec>
  [[nodiscard]] index next_stop(index begin, index cols, index group, bool fit_first) const {
    const index end = (std::min)((begin / block + 1) * block, cols);
    if (fit_first || fit != group_fit::current) return end;
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
                             const tile_layout<Codec>& layout, executor_ref executor, coded_matrix<Codec>& result) const {
    const index group = group_size(result.codec, working.cols());
    for (index v = (begin + group - 1) / group; v * group < end; ++v) {  // in the order of the factor
      const index g = factor.input(v * group) / group;
      const index columns = layout.columns_of(g);
      std::vector<float> importance =
          fit_is_weighted<Codec>() ? factor.importance(v * group, columns) : std::vector<float>{};
      auto& parameters = result.groups[static_cast<std::size_t>(g)];
      if (factor.order.empty()) {
        parameters = fit_group(result.codec, working.middleCols(v * group, columns), importance, executor);
        continue;
      }
      matrix stored(working.rows(), columns);
      const std::vector<float> visited = importance;
      for (index c = 0; c < columns; ++c) {
        const index place = factor.input(v * group + c) - g * group;
        stored.col(place) = working.col(v * group + c);
        if (!visited.empty()) importance[static_cast<std::size_t>(place)] = visited[static_cast<std::size_t>(c)];
      }
      parameters = fit_group(result.codec, stored, importance, executor);
    }
  }

  /// The classes of a codec with salient columns are a choice among columns, which only importance can tell apart.
  template <WeightCodec Codec>
  [[nodiscard]] bool fit_is_weighted() const {
    return weighted_fit || Codec::column_classes > 1;
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
      const matrix_view from = errors.middleRows(first - begin, last - first);
      const matrix_view of_weights = weights.middleRows(first - begin, last - first);
      for (; target < target_end; target += piece) {
        const index columns = (std::min)(piece, target_end - target);
        const auto after = working.block(first_row, target, rows, columns);
        detail::add_product_of_transposed(after, -1.0f, from, U.block(first, target, last - first, columns));
        if (P.size() == 0) continue;
        detail::add_product_of_transposed(after, 1.0f, of_weights, P.block(first, target, last - first, columns));
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
      auto strip_weights = weights.middleRows(first - begin, last - first);
      strip_weights = working.block(first_row, first, rows, last - first).transpose();
      loss += code_strip(first, first_row, factor, P, strip_weights, errors.middleRows(first - begin, last - first),
                         result);
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
      const float* w = weights.row(c).data();
      float* error = errors.row(c).data();
      const float pivot = factor.U(begin + c, begin + c);
      for (index r = 0; r < rows; ++r) {
        const float* values = parameters.row(first_row + r);
        const code q = result.codec.encode(w[r], values, column_class);
        codes(c, r) = q;
        error[r] = (w[r] - result.codec.decode(q, values, column_class)) / pivot;
      }
      for (index i = c + 1; i < weights.rows(); ++i) {
        weights.row(i) -= factor.U(begin + c, begin + i) * errors.row(c);
        if (P.size() > 0) weights.row(i) += P(begin + c, begin + i) * weights.row(c);
      }
      loss += errors.row(c).template cast<double>().squaredNorm();
    }
    for (index r = 0; r < rows; ++r) {
      for (index c = 0; c < weights.rows(); ++c) result.codes(first_row + r, factor.input(begin + c)) = codes(c, r);
    }
    return loss;
  }
};

static_assert(Quantizer<gptq>);

}  // namespace luq
