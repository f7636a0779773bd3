// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// How much of a linear layer's output a quantized matrix loses: ||(W - Q) X^T||^2 / ||W X^T||^2, which the Hessian
// H ~ sum_t x_t x_t^T gives without the activations as tr(E H E^T) / tr(W H W^T), E = W - Q. The scale of H cancels.
#pragma once

#include "luq/core/compiled.hpp"
#include "luq/core/matrix_view.hpp"

namespace luq {

/// tr(M H M^T), the output energy of M [out x in] under H [in x in].
[[nodiscard]] double output_energy(const matrix_view& M, const matrix_view& H);

/// Relative output error of Q [out x in] for W [out x in] under H [in x in]; 0 if W has no output at all.
[[nodiscard]] double relative_output_error(const matrix_view& W, const matrix_view& Q, const matrix_view& H);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/quantizers/impl/output_error.hpp"
#endif
