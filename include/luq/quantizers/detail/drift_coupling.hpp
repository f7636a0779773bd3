// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// How the drift of inputs reaches the columns after it (gptq.hpp).
#pragma once

#include "luq/core/compiled.hpp"
#include "luq/core/executor.hpp"
#include "luq/core/matrix_view.hpp"
#include "luq/quantizers/hessian_factor.hpp"

namespace luq::detail {

/// P = drift_share * strict_upper(D U^T) U [in x in], in the order of the factor.
/// @param drift  D [in x in] in natural order
[[nodiscard]] matrix drift_coupling(const matrix& drift, float drift_share, const hessian_factor& factor,
                                    executor_ref executor);

}  // namespace luq::detail
