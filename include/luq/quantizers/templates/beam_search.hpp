// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Beam search for one codec.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "luq/core/detail/block_view.hpp"
#include "luq/core/detail/matrix_products.hpp"
#include "luq/core/detail/row_operations.hpp"
#include "luq/core/detail/row_pointer.hpp"
#include "luq/core/error.hpp"
#include "luq/quantizers/beam_search.hpp"
#include "luq/quantizers/detail/row_refinement.hpp"
#include "luq/quantizers/hessian_factor.hpp"

namespace luq {
namespace detail {

/// Columns that are decided together.
inline constexpr index beam_block = 64;

/// The partial codings of one row. `prior` is the block that is coded but not decided, `current` the one being coded.
template <WeightCodec Codec>
class row_beam {
 public:
  /// @param limit  codings to keep, >= 1
  row_beam(const Codec& codec, index limit)
      : codec_(codec), limit_(static_cast<std::size_t>(limit)), members_(1), targets_(limit_) {
    for (auto* block : {&prior_, &current_}) {
      block->errors.resize(limit, beam_block);
      block->codes.resize(beam_block, limit);
      block->parents.resize(beam_block, limit);
    }
  }

  /// Extends all codings by the columns begin ... begin+count-1 of a row.
  /// @param w              the row, with the feedback of all decided columns
  /// @param group          columns of a group
  /// @param parameters_of  parameters_of(column): the row's parameters for a column, and the column's class
  template <class ParametersOf>
  void extend(const float* w, index begin, index count, const matrix& U, index group, ParametersOf&& parameters_of) {
    std::swap(prior_, current_);
    current_.begin = begin;
    current_.count = 0;
    current_.errors.setZero();
    ancestor_.resize(members_.size());
    std::iota(ancestor_.begin(), ancestor_.end(), std::size_t{0});
    // Feedback from the undecided block, for each of its codings: [codings x count].
    const auto codings = static_cast<index>(members_.size());
    inherited_.resize(codings, count);
    inherited_.setZero();
    add_product(inherited_, 1.0f, block_view(prior_.errors, 0, 0, codings, prior_.count),
                block_view(U, prior_.begin, begin, prior_.count, count));
    for (index j = 0; j < count; ++j) {
      const auto [parameters, column_class] = parameters_of(begin + j);
      const bool starts_group = (begin + j) % group == 0;
      find_targets(w[begin + j], j, U);
      collect_candidates(1.0f / U(begin + j, begin + j), parameters, column_class, starts_group);
      keep_best(j);
    }
    current_.count = count;
    current_.ends.resize(members_.size());
    std::iota(current_.ends.begin(), current_.ends.end(), std::size_t{0});
  }

  /// Decides the block before the current one by the best coding, and drops the codings that disagree.
  /// @param errors  one per column of that block
  /// @param codes   likewise
  void decide_prior(float* errors, code* codes) {
    const std::size_t chosen = ancestor_[best()];
    trace_back(prior_, chosen, errors, codes);
    std::size_t kept = 0;
    for (std::size_t m = 0; m < members_.size(); ++m) {
      if (ancestor_[m] != chosen) continue;
      members_[kept] = members_[m];
      current_.ends[kept] = m;
      current_.copy_errors(m, kept++, current_.count);
    }
    members_.resize(kept);
    current_.ends.resize(kept);
  }

  /// Sum of the squared errors of the best coding, over all columns so far.
  [[nodiscard]] float least_cost() const { return members_[best()].cost; }

  /// The current block of the best coding, when no column is left.
  void decide_current(float* errors, code* codes) const { trace_back(current_, best(), errors, codes); }

 private:
  struct member {
    float cost = 0;
    code last = 0;
  };

  /// One block of all codings. Errors lie coding by coding and are copied where a coding has several extensions; codes
  /// lie column by column, each with the place of the code before it, and are traced back when a block is decided.
  struct coded_block {
    index begin = 0;
    index count = 0;
    matrix errors;                        // [codings x columns]
    basic_matrix<code> codes;             // [columns x codings]
    basic_matrix<std::uint32_t> parents;  // [columns x codings]
    std::vector<std::size_t> ends;        // of each coding: its place in the last column

    void copy_errors(std::size_t from, std::size_t to, index columns) {
      if (from == to) return;
      std::copy_n(row_pointer(errors, static_cast<index>(from)), columns, row_pointer(errors, static_cast<index>(to)));
    }
  };

  [[nodiscard]] std::size_t best() const {
    const auto least = std::min_element(members_.begin(), members_.end(),
                                        [](const member& a, const member& b) { return a.cost < b.cost; });
    return static_cast<std::size_t>(least - members_.begin());
  }

  static void trace_back(const coded_block& block, std::size_t coding, float* errors, code* codes) {
    auto place = static_cast<index>(block.ends[coding]);
    for (index j = block.count; j-- > 0;) {
      codes[j] = block.codes(j, place);
      place = static_cast<index>(block.parents(j, place));
    }
    std::copy_n(row_pointer(block.errors, static_cast<index>(coding)), block.count, errors);
  }

  /// What each coding would like column j of the block to be.
  void find_targets(float w, index j, const matrix& U) {
    const auto codings = static_cast<index>(members_.size());
    // Errors are zero from column j on: a few more of them make no tail of the sum.
    const index summed = (j + 15) / 16 * 16;
    for (index i = 0; i < j; ++i) {
      feedback_[static_cast<std::size_t>(i)] = U(current_.begin + i, current_.begin + j);
    }
    for (index m = 0; m < codings; ++m) {
      const auto place = static_cast<std::size_t>(m);
      const float own = dot(row_pointer(current_.errors, m), feedback_.data(), summed);
      targets_[place] = w - inherited_(static_cast<index>(ancestor_[place]), j) - own;
    }
  }

  /// Extensions that are tried for each coding: every symbol, or where levels are many the nearest code alone.
  static constexpr std::size_t choices = used_codes<Codec>() <= 16 ? static_cast<std::size_t>(used_codes<Codec>()) : 1;

  void collect_candidates(float inverse_pivot, const float* parameters, int column_class, bool starts_group) {
    candidates_.resize(members_.size() * choices);
    extensions_.resize(candidates_.size());
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      const member& parent = members_[i / choices];
      const float target = targets_[i / choices];
      code q = static_cast<code>(i % choices);
      if constexpr (SequenceCodec<Codec>) {
        q = Codec::next(starts_group ? code{0} : parent.last, q);
      } else if constexpr (choices == 1) {
        q = codec_.encode(target, parameters, column_class);
      }
      const float error = (target - decode_weight(codec_, q, parameters, column_class)) * inverse_pivot;
      extensions_[i] = {parent.cost + error * error, error, q};
      candidates_[i] = order_key(extensions_[i].cost, i);
    }
  }

  /// Costs are >= 0, so their bits are in the order of their values; candidates of equal cost are in that of `i`.
  [[nodiscard]] static std::uint64_t order_key(float cost, std::size_t i) {
    return static_cast<std::uint64_t>(std::bit_cast<std::uint32_t>(cost)) << 32 | i;
  }

  /// Makes the best candidates the codings. The first extension of a coding takes its place; further ones go where
  /// codings have died, or to the end.
  void keep_best(index j) {
    const std::size_t keep = (std::min)(limit_, candidates_.size());
    if (keep < candidates_.size()) {
      std::nth_element(candidates_.begin(), candidates_.begin() + static_cast<std::ptrdiff_t>(keep), candidates_.end());
      candidates_.resize(keep);
    }
    taken_.assign(keep, 0);
    further_.clear();
    members_.resize(keep);
    ancestor_.resize(keep);
    for (const std::uint64_t key : candidates_) {
      const std::size_t i = key & 0xffffffffu;
      const std::size_t parent = i / choices;
      if (taken_[parent] != 0) {
        further_.push_back(i);
      } else {
        taken_[parent] = 1;
        place(i, parent, j);
      }
    }
    std::size_t free = 0;
    for (const std::size_t i : further_) {
      while (taken_[free] != 0) ++free;
      current_.copy_errors(i / choices, free, j);
      ancestor_[free] = ancestor_[i / choices];
      place(i, free++, j);
    }
  }

  void place(std::size_t i, std::size_t slot, index j) {
    const extension& chosen = extensions_[i];
    const auto to = static_cast<index>(slot);
    members_[slot] = {chosen.cost, chosen.q};
    current_.errors(to, j) = chosen.error;
    current_.codes(j, to) = chosen.q;
    current_.parents(j, to) = static_cast<std::uint32_t>(i / choices);
  }

  struct extension {
    float cost;
    float error;
    code q;
  };

  const Codec& codec_;
  std::size_t limit_;
  std::vector<member> members_;
  std::vector<std::size_t> ancestor_;  // of each coding, among the codings of the prior block
  coded_block prior_;
  coded_block current_;
  matrix inherited_;
  std::vector<float> targets_;
  std::array<float, beam_block> feedback_{};  // column of U, of the block's columns before the present one
  std::vector<extension> extensions_;         // of coding i / choices
  std::vector<std::uint64_t> candidates_;     // order_key() of each extension
  std::vector<std::size_t> further_;
  std::vector<char> taken_;
};

/// The rounds of beam search under some options.
template <WeightCodec Codec>
class beam_rounds {
 public:
  explicit beam_rounds(const beam_search& options) : options_(options) {}

  [[nodiscard]] coded_matrix<Codec> codes(const linear_problem& problem, const Codec& codec, executor_ref executor,
                                          quantize_report& report) const {
    if (options_.beams < 1 || options_.rounds < 0) {
      fail(errc::invalid_argument, "beam_search: expected beams >= 1 and rounds >= 0, got ", options_.beams, " and ",
           options_.rounds);
    }
    const matrix_view& W = problem.W;
    const matrix_view H = problem.inputs->H();
    const hessian_factor& factor = problem.inputs->factor({.damping = options_.damping}, executor);
    report.damp = factor.damp;
    report.factorizations = factor.factorizations;
    report.dead_columns = std::count(factor.dead.begin(), factor.dead.end(), char{1});
    matrix alive(W.rows(), W.cols());
    for (index r = 0; r < W.rows(); ++r) {
      for (index j = 0; j < W.cols(); ++j) alive(r, j) = factor.dead[static_cast<std::size_t>(j)] != 0 ? 0.0f : W(r, j);
    }

    coded_matrix<Codec> result(codec, W.rows(), W.cols());
    const tile_layout layout(codec, W.rows(), W.cols());
    for (index g = 0; g < layout.groups(); ++g) {
      const index first = layout.first_column(g);
      const index columns = layout.columns_of(g);
      result.groups[static_cast<std::size_t>(g)] =
          fit_group(codec, block_view(alive, 0, first, W.rows(), columns), factor.importance(first, columns), executor);
    }
    std::vector<double> chunk_loss(static_cast<std::size_t>(row_chunks(W.rows())), 0.0);
    for_each_row_chunk(W.rows(), executor, [&](index first, index rows) {
      matrix chunk(rows, W.cols());
      std::copy_n(row_pointer(alive, first), chunk.size(), chunk.data());
      chunk_loss[static_cast<std::size_t>(first / row_chunk)] =
          search_rows(chunk, H, factor.ridge, factor.U, first, result);
    });
    report.loss = std::accumulate(chunk_loss.begin(), chunk_loss.end(), 0.0);
    return result;
  }

 private:
  /// All rounds for some rows. Returns the sum of their errors.
  double search_rows(const matrix& W, const matrix_view& H, float ridge, const matrix& U, index first,
                     coded_matrix<Codec>& result) const {
    search_once(W, U, first, result);
    row_refinement<Codec> refinement(W, H, ridge, first, result);
    for (int round = 0; round < options_.rounds; ++round) {
      refinement.refit_scales();
      const std::vector<double> least = refinement.row_errors();
      const saved_rows saved(result, first, W.rows());
      search_once(W, U, first, result);
      const std::vector<double> errors = refinement.row_errors();
      for (std::size_t r = 0; r < errors.size(); ++r) {
        if (!(errors[r] < least[r])) saved.restore(static_cast<index>(r), first, result);
      }
    }
    if (options_.rounds > 0) refinement.refit_scales();
    const std::vector<double> errors = refinement.row_errors();
    return std::accumulate(errors.begin(), errors.end(), 0.0);
  }

  /// Codes and parameters of some rows, to return to.
  struct saved_rows {
    std::vector<code> codes;                 // row by row
    std::vector<std::vector<float>> values;  // of each group, row by row

    saved_rows(const coded_matrix<Codec>& from, index first, index rows)
        : codes(from.codes.data() + first * from.cols(), from.codes.data() + (first + rows) * from.cols()) {
      for (const group_parameters& group : from.groups) values.emplace_back(group.row(first), group.row(first + rows));
    }
    void restore(index r, index first, coded_matrix<Codec>& to) const {
      std::copy_n(codes.begin() + r * to.cols(), to.cols(), to.codes.data() + (first + r) * to.cols());
      for (std::size_t g = 0; g < values.size(); ++g) {
        const index count = to.groups[g].values.cols();
        std::copy_n(values[g].begin() + r * count, count, row_pointer(to.groups[g].values, first + r));
      }
    }
  };

  void search_once(const matrix& W, const matrix& U, index first, coded_matrix<Codec>& result) const {
    const index group = group_size(result.codec, W.cols());
    matrix working = W;
    std::vector<row_beam<Codec>> searches(static_cast<std::size_t>(W.rows()),
                                          row_beam<Codec>(result.codec, options_.beams));
    matrix errors(W.rows(), beam_block);
    for (index begin = 0; begin < W.cols(); begin += beam_block) {
      const index count = (std::min)(beam_block, W.cols() - begin);
      const index prior = std::max<index>(0, begin - beam_block);
      for (index r = 0; r < W.rows(); ++r) {
        auto& search = searches[static_cast<std::size_t>(r)];
        search.extend(row_pointer(working, r), begin, count, U, group, [&](index column) {
          const group_parameters& parameters = result.groups[static_cast<std::size_t>(column / group)];
          return std::pair(parameters.row(first + r), parameters.class_of(column % group));
        });
        if (begin > 0) search.decide_prior(row_pointer(errors, r), &result.codes(first + r, prior));
      }
      const index rest = W.cols() - begin - count;
      if (begin > 0 && rest > 0) {
        add_product(block_view(working, 0, begin + count, W.rows(), rest), -1.0f, errors,
                    block_view(U, prior, begin + count, beam_block, rest));
      }
    }
    const index last = (W.cols() - 1) / beam_block * beam_block;
    for (index r = 0; r < W.rows() && W.cols() > 0; ++r) {
      searches[static_cast<std::size_t>(r)].decide_current(row_pointer(errors, r), &result.codes(first + r, last));
    }
  }

  const beam_search& options_;
};

}  // namespace detail

template <WeightCodec Codec>
coded_matrix<Codec> beam_search::operator()(const linear_problem& problem, const Codec& codec,
                                            const quantize_context& context, quantize_report& report) const {
  return detail::beam_rounds<Codec>(*this).codes(problem, codec, context.executor, report);
}

}  // namespace luq
