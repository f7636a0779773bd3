// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What a quantizer is: the search for the codes of one weight matrix under the Hessian of its inputs. It knows how
// error travels from column to column, not what a code means; every quantizer works with every codec.
#pragma once

#include <concepts>

#include "luq/codecs/coded_matrix.hpp"
#include "luq/codecs/weight_codec.hpp"
#include "luq/core/executor.hpp"
#include "luq/core/matrix_view.hpp"

namespace luq {

/// What a quantizer found out on its way.
struct quantize_report {
  double damp = 0;         ///< share of mean_live_diagonal(H) added to the diagonal; 0 if no Hessian was factorised
  int factorizations = 0;  ///< attempts of the damping ladder
  /// Inputs that were zero for every token of the Hessian that was factorised. Their weights were set to zero before
  /// they were coded, as published with GPTQ: what they would do to inputs other than those seen is lost.
  index dead_columns = 0;
  double loss = 0;  ///< sum of (w - q)^2 / U_jj^2 over all weights as they stood when coded; 0 without a Hessian
};

/// quantizer(W, H, codec, executor, report) returns the codes of W [out x in]. H [in x in] is symmetric, any positive
/// multiple of sum_t x_t x_t^T; a quantizer with `needs_hessian == false` also takes an empty H.
/// W and H are finite (luq::quantize checks) and are not changed.
template <class Q>
concept Quantizer = requires(const Q quantizer) {
  { Q::needs_hessian } -> std::convertible_to<bool>;
};

}  // namespace luq
