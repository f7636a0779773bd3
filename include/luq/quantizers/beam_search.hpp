// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Column feedback that keeps many partial codings of a row. Column feedback (gptq.hpp) is a greedy search: with U from
// hessian_factor.hpp, the output error of a row of codes is a sum over its columns,
//
//   (w - q)^T H (w - q) = sum_j e_j^2,    e_j = (t_j - q_j) / U_jj,    t_j = w_j - sum_{i<j} e_i U_ij
//
// and each column takes the code of least e_j. Here each of the `beams` best partial codings so far is extended by
// every code that may follow it, with the feedback of its own errors, and the best `beams` extensions live on: the
// M-algorithm (Anderson and Mohan, IEEE Trans. Commun. 1984), known as K-best search where lattices are decoded. One
// beam is column feedback. For codes that depend on each other (SequenceCodec) it is trellis search with per-survivor
// processing (Raheli, Polydoros and Tzou, IEEE Trans. Commun. 1995), where the blockwise Viterbi search of QTIP
// (NeurIPS 2024) has feedback only between blocks of columns.
//
// A coding of all columns would be long to keep and to copy. Codings are cut at blocks of 64 columns: when a block is
// done, the best coding decides the block before it, and those that disagree about that are dropped.
//
// Afterwards all scales of the row are fitted by least squares under the codes found (detail/row_refinement.hpp), and
// the search is repeated under them, as often as asked; of the results of a row the best is kept.
#pragma once

#include "luq/quantizers/hessian_factor.hpp"
#include "luq/quantizers/quantizer.hpp"

namespace luq {

struct beam_search {
  index beams = 64;  ///< partial codings that are kept of each row, >= 1; time and quality grow with it
  int rounds = 2;    ///< repetitions under scales fitted to the codes found, >= 0
  damping_options damping = {};

  static constexpr bool needs_inputs = true;

  template <WeightCodec Codec>
  [[nodiscard]] coded_matrix<Codec> operator()(const linear_problem& problem, const Codec& codec,
                                               const quantize_context& context, quantize_report& report) const;
};

static_assert(Quantizer<beam_search>);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/quantizers/templates/beam_search.hpp"
#endif
