// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What AWQ divides inputs by (awq.hpp).
#pragma once

#include <span>
#include <vector>

#include "luq/core/compiled.hpp"

namespace luq::detail {

/// 1/s for exponent t, not rounded.
[[nodiscard]] std::vector<float> awq_factors(std::span<const float> magnitude, double t, double smallest);

/// Whether fp16 holds all factors, and none as 0.
[[nodiscard]] bool fits_scaling(std::span<const float> factors);

}  // namespace luq::detail

#ifndef LUQ_COMPILED
#include "luq/quantizers/impl/awq_factors.hpp"
#endif
