// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The two steps by which the codes and scales of rows w of a weight matrix, already coded as q, lower the row's own
// share of the output error, (w - q)^T H (w - q):
//
//   scales   a decoded row is linear in its scales s, q = D s with D given by the codes, so the best scales of all
//            groups of the row together solve one least-squares problem, (D^T H D) s = D^T H w
//   codes    of one weight, all others fixed, the error is least at  t_j = q_j + (H (w - q))_j / H_jj;  the weight
//            takes the representable value nearest to t_j, column after column
//
// The second step is the cyclic coordinate descent of QuantEase (Behdin et al., arXiv 2309.01885, section 3); the first
// is what ARB-LLM (Li et al., ICLR 2025) does for binary codes block by block, here on the whole Hessian and for every
// codec. Neither can raise the error. When and how often to take them is refined.hpp's affair, and beam_search.hpp's.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "luq/codecs/coded_matrix.hpp"
#include "luq/core/detail/block_view.hpp"
#include "luq/core/detail/matrix_products.hpp"
#include "luq/core/detail/row_operations.hpp"
#include "luq/core/detail/row_pointer.hpp"
#include "luq/core/matrix_view.hpp"
#include "luq/quantizers/detail/normal_equations.hpp"

namespace luq::detail {

/// The two steps for some rows of a coded matrix. Rows do not depend on each other.
template <WeightCodec Codec>
class row_refinement {
 public:
  /// @param W      the rows' weights [rows x in], dead columns zero
  /// @param H      [in x in]; `ridge` is added to its diagonal
  /// @param first  of the rows in `result`
  row_refinement(const matrix& W, const matrix_view& H, float ridge, index first, coded_matrix<Codec>& result)
      : W_(W), H_(H), ridge_(ridge), first_(first), result_(result), layout_(result.codec, result.rows(), W.cols()) {}

  /// Solves for the scales of each row. A solution that the codec cannot store, or that storage makes worse than the
  /// present scales, is not taken.
  void refit_scales() {
    const index unknowns = layout_.groups() * scales;
    for (auto& part : basis_) part.resize(W_.rows(), W_.cols());
    fill_basis();
    const matrix gradient = gradient_of(error());
    // Normal equations are built for as many rows at once as fit into a few megabytes, at least one.
    constexpr index most_entries = index{1} << 21;
    const index at_once = std::clamp<index>(most_entries / std::max<index>(1, unknowns * unknowns), 1, W_.rows());
    for (index from = 0; from < W_.rows(); from += at_once) {
      const index rows = (std::min)(at_once, W_.rows() - from);
      std::vector<basic_matrix<double>> normal(static_cast<std::size_t>(rows),
                                               basic_matrix<double>(unknowns, unknowns));
      for (index g = 0; g < layout_.groups(); ++g) add_normal_rows(g, from, normal);
      for (index r = 0; r < rows; ++r) solve_row(from + r, gradient, normal[static_cast<std::size_t>(r)]);
    }
  }

  /// One pass of coordinate descent over all columns. Returns whether a code changed.
  bool reassign_codes()
  requires MemorylessCodec<Codec> {
    matrix gradient = gradient_of(error());  // kept up to date as codes change
    std::vector<float> inverse(static_cast<std::size_t>(W_.cols()));
    for (index j = 0; j < W_.cols(); ++j) inverse[static_cast<std::size_t>(j)] = 1.0f / (H_(j, j) + ridge_);
    bool changed = false;
    for (index begin = 0; begin < W_.cols(); begin += block) {
      const index count = (std::min)(block, W_.cols() - begin);
      matrix steps(W_.rows(), count);
      steps.setZero();
      bool block_changed = false;
      for (index r = 0; r < W_.rows(); ++r) {
        for (index j = begin; j < begin + count; ++j) {
          const float step = reassign(r, j, gradient(r, j) * inverse[static_cast<std::size_t>(j)]);
          if (step == 0.0f) continue;
          steps(r, j - begin) = step;
          add_scaled(row_pointer(gradient, r) + begin, -step, row_pointer(H_, j) + begin, count);
          gradient(r, j) -= step * ridge_;
          block_changed = true;
        }
      }
      if (!block_changed) continue;
      changed = true;
      const index end = begin + count;
      const index rest = W_.cols() - end;
      add_product(block_view(gradient, 0, end, W_.rows(), rest), -1.0f, steps, block_view(H_, begin, end, count, rest));
    }
    return changed;
  }

  /// (w - q)^T (H + ridge) (w - q) of each row.
  [[nodiscard]] std::vector<double> row_errors() const {
    const matrix E = error();
    const matrix gradient = gradient_of(E);
    std::vector<double> result(static_cast<std::size_t>(W_.rows()));
    for (index r = 0; r < W_.rows(); ++r) {
      double& sum = result[static_cast<std::size_t>(r)];
      for (index c = 0; c < W_.cols(); ++c) sum += static_cast<double>(gradient(r, c) * E(r, c));
    }
    return result;
  }

 private:
  static constexpr index block = 128;  // columns whose changes reach the columns after them as one matrix product
  static constexpr index scales = scale_count<Codec>;

  [[nodiscard]] group_parameters& group(index g) const { return result_.groups[static_cast<std::size_t>(g)]; }
  [[nodiscard]] float* parameters(index r, index g) const { return row_pointer(group(g).values, first_ + r); }

  /// Calls visit(r, column, code, parameters, column_class) for every weight, group by group.
  template <class Visit>
  void for_each_weight(Visit&& visit) const {
    for (index g = 0; g < layout_.groups(); ++g) {
      const index begin = layout_.first_column(g);
      for (index r = 0; r < W_.rows(); ++r) {
        const float* p = parameters(r, g);
        for (index c = 0; c < layout_.columns_of(g); ++c) {
          visit(r, begin + c, result_.codes(first_ + r, begin + c), p, group(g).class_of(c));
        }
      }
    }
  }

  /// w - q of each row.
  [[nodiscard]] matrix error() const {
    matrix E(W_.rows(), W_.cols());
    for_each_weight([&](index r, index column, code q, const float* p, int column_class) {
      E(r, column) = W_(r, column) - decode_weight(result_.codec, q, p, column_class);
    });
    return E;
  }

  /// (H + ridge) e of each row e of `error`.
  [[nodiscard]] matrix gradient_of(const matrix& error) const {
    matrix gradient(error.rows(), error.cols());
    gradient.setZero();
    add_product(gradient, 1.0f, error, H_);
    for (index r = 0; r < error.rows(); ++r) {
      add_scaled(row_pointer(gradient, r), ridge_, row_pointer(error, r), error.cols());
    }
    return gradient;
  }

  /// Moves one weight to the value nearest to its present one plus `offset`. Returns the step.
  float reassign(index r, index j, float offset)
  requires MemorylessCodec<Codec> {
    const index size = group_size(result_.codec, W_.cols());
    const float* p = parameters(r, j / size);
    const int column_class = group(j / size).class_of(j % size);
    code& q = result_.codes(first_ + r, j);
    const float before = decode_weight(result_.codec, q, p, column_class);
    const code candidate = result_.codec.encode(before + offset, p, column_class);
    if (candidate == q) return 0.0f;
    const float after = decode_weight(result_.codec, candidate, p, column_class);
    // Two codes may share a value or be equally far; only a real gain is taken, so that passes come to an end.
    if (!(std::abs(before + offset - after) < std::abs(offset))) return 0.0f;
    q = candidate;
    return after - before;
  }

  void fill_basis() {
    for_each_weight([&](index r, index column, code q, const float* p, int column_class) {
      const auto values = scale_basis(result_.codec, q, p, column_class);
      for (std::size_t s = 0; s < values.size(); ++s) basis_[s](r, column) = values[s];
    });
  }

  /// The rows of D^T H D that belong to group g, up to the diagonal, for the rows of weights from `from` on.
  void add_normal_rows(index g, index from, std::vector<basic_matrix<double>>& normal) const {
    const index begin = layout_.first_column(g);
    const index columns = layout_.columns_of(g);
    const index end = begin + columns;
    const auto rows = static_cast<index>(normal.size());
    for (index s = 0; s < scales; ++s) {
      const matrix& own = basis_[static_cast<std::size_t>(s)];
      matrix product(rows, end);
      product.setZero();
      add_product(product, 1.0f, block_view(own, from, begin, rows, columns), block_view(H_, begin, 0, columns, end));
      for (index r = 0; r < rows; ++r) {
        add_scaled(row_pointer(product, r) + begin, ridge_, row_pointer(own, from + r) + begin, columns);
        double* const row = normal[static_cast<std::size_t>(r)].data() + (g * scales + s) * layout_.groups() * scales;
        for (index other = 0; other <= g; ++other) {
          const index first = layout_.first_column(other);
          for (index t = 0; t < scales; ++t) {
            row[other * scales + t] = static_cast<double>(
                dot(row_pointer(product, r) + first, row_pointer(basis_[static_cast<std::size_t>(t)], from + r) + first,
                    layout_.columns_of(other)));
          }
        }
      }
    }
  }

  /// Takes the step from the present scales of row r that solves the normal equations A, if it can be stored.
  void solve_row(index r, const matrix& gradient, basic_matrix<double>& A) {
    const auto unknowns = static_cast<std::size_t>(A.rows());
    std::vector<double> residual(unknowns);  // D^T H (w - q)
    for (index g = 0; g < layout_.groups(); ++g) {
      const index begin = layout_.first_column(g);
      for (index s = 0; s < scales; ++s) {
        residual[static_cast<std::size_t>(g * scales + s)] = static_cast<double>(
            dot(row_pointer(gradient, r) + begin, row_pointer(basis_[static_cast<std::size_t>(s)], r) + begin,
                layout_.columns_of(g)));
      }
    }
    // Where codes leave a scale almost free, as those of a small group of seven parameters do, the float sums in A
    // decide nothing. The ridge is above their rounding error, so a gain that is one with the ridge is one without it.
    constexpr double ridge_share = 1e-5;
    const std::vector<double> step = solve_normal_equations(A, residual, ridge_share);
    if (step.empty()) return;

    std::vector<double> stored_step(unknowns, 0.0);
    std::vector<std::array<float, parameter_count<Codec>>> candidates(static_cast<std::size_t>(layout_.groups()));
    for (index g = 0; g < layout_.groups(); ++g) {
      auto& candidate = candidates[static_cast<std::size_t>(g)];
      const float* present = parameters(r, g);
      std::copy_n(present, candidate.size(), candidate.begin());
      const auto place = static_cast<std::size_t>(g * scales);
      std::array<float, scale_count<Codec>> wanted{};
      for (std::size_t s = 0; s < wanted.size(); ++s) {
        wanted[s] = static_cast<float>(static_cast<double>(present[s]) + step[place + s]);
      }
      if (!store_scales(result_.codec, wanted, candidate.data())) continue;
      for (std::size_t s = 0; s < wanted.size(); ++s) {
        stored_step[place + s] = static_cast<double>(candidate[s]) - static_cast<double>(present[s]);
      }
    }
    if (!(quadratic_gain(A, residual, stored_step) > 0)) return;
    for (index g = 0; g < layout_.groups(); ++g) {
      const auto& candidate = candidates[static_cast<std::size_t>(g)];
      std::copy(candidate.begin(), candidate.end(), parameters(r, g));
    }
  }

  const matrix& W_;
  const matrix_view& H_;
  float ridge_;
  index first_;
  coded_matrix<Codec>& result_;
  tile_layout<Codec> layout_;
  std::array<matrix, scale_count<Codec>> basis_;  // D, one [rows x in] for each scale of a group
};

}  // namespace luq::detail
