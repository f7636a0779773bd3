// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The block rule of BiLLM (Huang et al., ICML 2024, algorithm 1): a group of columns is coded at once, by the codec
// and for itself, and only then is its error fed to the columns after it. With B the columns of the group, R the
// columns after it, U from hessian_factor.hpp and E = W_B - Q_B:
//
//   published   W_R -= E diag(U_BB)^-1 U_BR     each column as if the others of its block had absorbed nothing
//   exact       W_R -= E U_BB^-1 U_BR           the least-squares compensation of a block coded at once
//
// The published rule treats the block's columns as if they had been coded one after the other with feedback, which
// they were not; it is kept because published results rest on it. No column of a block learns of another's error, so
// gptq.hpp reaches lower error with the same codec. With billm_codec this is BiLLM; any other codec works as well.
#pragma once

#include <utility>
#include <vector>

#include "luq/core/matrix_products.hpp"
#include "luq/quantizers/hessian_factor.hpp"
#include "luq/quantizers/quantizer.hpp"

namespace luq {

/// How the error of a block reaches the columns after it.
enum class block_compensation { none, published, exact };

struct billm {
  block_compensation compensation = block_compensation::published;
  damping_options damping = {};

  static constexpr bool needs_hessian = true;

  /// The factor of H [in x in], in the memory of H; it serves all linears with the same inputs.
  /// @throws luq::error as factorize_hessian
  [[nodiscard]] hessian_factor factorize(matrix&& H, executor_ref executor) const {
    return factorize_hessian_in_place(std::move(H), damping, executor);
  }

  template <WeightCodec Codec>
  [[nodiscard]] coded_matrix<Codec> operator()(const matrix_view& W, const matrix_view& H, const Codec& codec,
                                               executor_ref executor, quantize_report& report) const {
    return (*this)(W, factorize(matrix(H), executor), codec, executor, report);
  }

  template <WeightCodec Codec>
  [[nodiscard]] coded_matrix<Codec> operator()(const matrix_view& W, const hessian_factor& factor, const Codec& codec,
                                               executor_ref executor, quantize_report& report) const {
    if (factor.U.rows() != W.cols()) {
      fail(errc::shape_mismatch, "billm: expected a factor of ", W.cols(), " inputs, got ", factor.U.rows());
    }
    if (!factor.order.empty()) {
      fail(errc::invalid_argument, "billm: expected a factor made for natural order, got one for another");
    }
    report.damp = factor.damp;
    report.factorizations = factor.factorizations;
    matrix working = W;
    for (index j = 0; j < W.cols(); ++j) {
      if (factor.dead[static_cast<std::size_t>(j)] == 0) continue;
      ++report.dead_columns;
      working.col(j).setZero();
    }

    coded_matrix<Codec> result(codec, W.rows(), W.cols());
    const tile_layout layout(codec, W.rows(), W.cols());
    for (index g = 0; g < layout.groups(); ++g) {
      const index begin = layout.first_column(g);
      const index columns = layout.columns_of(g);
      coded_group group = code_group(codec, working.middleCols(begin, columns),
                                                         factor.importance(begin, columns), executor);
      result.codes.middleCols(begin, columns) = group.codes;
      result.groups[static_cast<std::size_t>(g)] = std::move(group.parameters);
      report.loss += feed_forward(begin, columns, factor.U, executor, working, result);
    }
    return result;
  }

 private:
  /// Adds the compensation of columns begin ... begin+columns-1 to the columns after them. Returns the loss.
  template <WeightCodec Codec>
  double feed_forward(index begin, index columns, const matrix& U, executor_ref executor, matrix& working,
                      const coded_matrix<Codec>& result) const {
    const index end = begin + columns;
    const index rest = working.cols() - end;
    const Eigen::Array<float, 1, Eigen::Dynamic> pivots = U.diagonal().segment(begin, columns).transpose();
    std::vector<double> chunk_loss(static_cast<std::size_t>(detail::row_chunks(working.rows())), 0.0);
    detail::for_each_row_chunk(working.rows(), executor, [&](index first, index rows) {
      matrix errors(rows, columns);
      for (index r = 0; r < rows; ++r) {
        for (index c = 0; c < columns; ++c) {
          errors(r, c) = working(first + r, begin + c) - result.at(first + r, begin + c);
        }
      }
      const matrix scaled = (errors.array().rowwise() / pivots).matrix();
      chunk_loss[static_cast<std::size_t>(first / detail::row_chunk)] = scaled.cast<double>().squaredNorm();
      const auto after = working.block(first, end, rows, rest);
      if (compensation == block_compensation::published) {
        detail::add_product(after, -1.0f, scaled, U.block(begin, end, columns, rest));
      } else if (compensation == block_compensation::exact) {
        U.block(begin, begin, columns, columns).triangularView<Eigen::Upper>().solveInPlace<Eigen::OnTheRight>(errors);
        detail::add_product(after, -1.0f, errors, U.block(begin, end, columns, rest));
      }
    });
    double loss = 0;
    for (const double part : chunk_loss) loss += part;
    return loss;
  }
};

static_assert(Quantizer<billm>);

}  // namespace luq
