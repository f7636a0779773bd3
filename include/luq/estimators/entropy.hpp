// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Entropy in bits of a discrete distribution known by its counts n_1 ... n_K, N = sum n_k:
//
//   plug-in        H = -sum_k (n_k / N) log2(n_k / N)      0 <= H <= log2 K
//   Miller-Madow   H + (K' - 1) / (2 N ln 2)               K' = number of non-empty cells
//
// The plug-in estimate from N independent draws is biased low, by (K - 1) / (2 N ln 2) bits in the leading order.
// The correction (Miller 1955) is for counts of single observations; for weighted counts N is no sample size, and the
// plug-in estimate is what is meant. Not a differential entropy: it depends on the cells.
#pragma once

#include <span>

#include "luq/core/compiled.hpp"

namespace luq {

/// Plug-in entropy in bits of counts >= 0; 0 if all are 0.
[[nodiscard]] double plug_in_entropy(std::span<const double> counts);

/// Miller-Madow estimate in bits from counts of single observations. May exceed log2 K.
[[nodiscard]] double miller_madow_entropy(std::span<const double> counts);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/estimators/impl/entropy.hpp"
#endif
