// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// BiLLM's block rule for one codec.
#pragma once

#include <utility>
#include <vector>

#include "luq/core/detail/matrix_products.hpp"
#include "luq/core/error.hpp"
#include "luq/quantizers/billm.hpp"

namespace luq {
namespace detail {

/// Adds the compensation of columns begin ... begin+columns-1 to the columns after them. Returns the loss.
template <WeightCodec Codec>
[[nodiscard]] double feed_forward(const billm& options, index begin, index columns, const matrix& U,
                                  executor_ref executor, matrix& working, const coded_matrix<Codec>& result) {
  const index end = begin + columns;
  const index rest = working.cols() - end;
  const Eigen::Array<float, 1, Eigen::Dynamic> pivots = U.diagonal().segment(begin, columns).transpose();
  std::vector<double> chunk_loss(static_cast<std::size_t>(row_chunks(working.rows())), 0.0);
  for_each_row_chunk(working.rows(), executor, [&](index first, index rows) {
    matrix errors(rows, columns);
    for (index r = 0; r < rows; ++r) {
      for (index c = 0; c < columns; ++c) {
        errors(r, c) = working(first + r, begin + c) - result.at(first + r, begin + c);
      }
    }
    const matrix scaled = (errors.array().rowwise() / pivots).matrix();
    chunk_loss[static_cast<std::size_t>(first / row_chunk)] = scaled.cast<double>().squaredNorm();
    const auto after = working.block(first, end, rows, rest);
    if (options.compensation == block_compensation::published) {
      add_product(after, -1.0f, scaled, U.block(begin, end, columns, rest));
    } else if (options.compensation == block_compensation::exact) {
      U.block(begin, begin, columns, columns).triangularView<Eigen::Upper>().solveInPlace<Eigen::OnTheRight>(errors);
      add_product(after, -1.0f, errors, U.block(begin, end, columns, rest));
    }
  });
  double loss = 0;
  for (const double part : chunk_loss) loss += part;
  return loss;
}

}  // namespace detail

template <WeightCodec Codec>
coded_matrix<Codec> billm::operator()(const linear_problem& problem, const Codec& codec,
                                      const quantize_context& context, quantize_report& report) const {
  const matrix_view& W = problem.W;
  const executor_ref executor = context.executor;
  const hessian_factor& factor = problem.inputs->factor({.damping = damping}, executor);
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
    coded_group group =
        code_group(codec, working.middleCols(begin, columns), factor.importance(begin, columns), executor);
    result.codes.middleCols(begin, columns) = group.codes;
    result.groups[static_cast<std::size_t>(g)] = std::move(group.parameters);
    report.loss += detail::feed_forward(*this, begin, columns, factor.U, executor, working, result);
  }
  return result;
}

}  // namespace luq
