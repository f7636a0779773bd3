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
// less with binary_coding_codec, and up to 14 % more with two-bit integers.
//
// Behind quantized layers the inputs have drifted. Given D (linear_inputs::drift()), and H of inputs as they now are,
// what a coded column of weights no longer contributes is fed to the columns after it as well (GPTAQ, Li et al., ICML
// 2025): with P = drift_share * strict_upper(D U^T) U,
//
//   w_i += w_j P_ji   for all columns i > j
//
// Row j of P, at drift_share 1, is the least-squares answer of the columns after j to the drift of input j.
#pragma once

#include "luq/codecs/packed_matrix.hpp"
#include "luq/quantizers/hessian_factor.hpp"
#include "luq/quantizers/quantizer.hpp"

namespace luq {

/// Which weights the parameters of a group are fitted to, in natural order.
enum class group_fit {
  current,      ///< the weights with all feedback received so far
  block_start,  ///< as published: without the feedback from columns of the same block; differs where group < block
};

/// The share of the drift that GPTAQ publishes, for gptq::drift_share.
inline constexpr double gptaq_drift_share = 0.25;

struct gptq {
  column_order order = column_order::natural;
  damping_options damping = {};
  bool static_groups = false;  ///< fit all parameters to the weights as given; always so in activation order
  /// Weight the squared error of column j by 1/U_jj^2, its true cost, when fitting. Published GPTQ does not; a codec
  /// that takes the range of the weights as it is (int_codec with int_range::minmax) ignores it either way.
  bool weighted_fit = true;
  group_fit fit = group_fit::current;
  /// 0 ... 1, see above. 0 is GPTQ, which ignores drift; gptaq_drift_share is published; 1 was better in tests here.
  double drift_share = 0;
  index block = 128;  ///< columns whose feedback is applied at once, >= 1; 128 as published; for speed only

  static constexpr bool needs_inputs = true;

  /// What the factor for a codec with groups of `group` columns is made for.
  [[nodiscard]] factor_options factor_options_of(index group) const {
    return {.damping = damping, .order = order, .group = group};
  }

  template <MemorylessCodec Codec>
  [[nodiscard]] coded_matrix<Codec> operator()(const linear_problem& problem, const Codec& codec,
                                               const quantize_context& context, quantize_report& report) const;

  /// The same, packed. Rows are packed as they are done, so that neither a copy of W nor all codes are ever in memory,
  /// unless the codec has column classes.
  template <MemorylessCodec Codec>
  [[nodiscard]] packed_matrix<Codec> packed(const linear_problem& problem, const Codec& codec,
                                            const quantize_context& context, quantize_report& report) const;
};

static_assert(Quantizer<gptq>);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/quantizers/impl/gptq.hpp"
#include "luq/quantizers/templates/gptq.hpp"
#endif
