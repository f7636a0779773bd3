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

#include "luq/quantizers/hessian_factor.hpp"
#include "luq/quantizers/quantizer.hpp"

namespace luq {

/// How the error of a block reaches the columns after it.
enum class block_compensation { none, published, exact };

struct billm {
  block_compensation compensation = block_compensation::published;
  damping_options damping = {};

  static constexpr bool needs_inputs = true;

  template <WeightCodec Codec>
  [[nodiscard]] coded_matrix<Codec> operator()(const linear_problem& problem, const Codec& codec,
                                               const quantize_context& context, quantize_report& report) const;
};

static_assert(Quantizer<billm>);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/quantizers/templates/billm.hpp"
#endif
