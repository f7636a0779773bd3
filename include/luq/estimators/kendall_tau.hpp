// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// How far two orders of the same items agree. Of the n0 = n (n - 1) / 2 pairs of items let C be ordered alike by x and
// y, D oppositely, T_x tied in x, T_y tied in y and T_xy tied in both. Then
//
//   tau-b = (C - D) / sqrt((n0 - T_x) (n0 - T_y))                 -1 opposite ... 0 unrelated ... 1 alike
//   distance = (D + (T_x + T_y - 2 T_xy) / 2) / n0                 0 alike ... 1 opposite
//
// (Kendall, Biometrika 1945; Fagin et al., SIAM J. Discrete Math. 2006, with penalty 1/2 for a pair that one order ties
// and the other does not.) D is counted as the inversions that a merge sort undoes, in O(n log n) (Knight, JASA 1966).
#pragma once

#include <cstdint>
#include <span>

#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"

namespace luq {

/// How two orders treat the pairs of items.
struct pair_counts {
  std::int64_t pairs = 0;       ///< n (n - 1) / 2
  std::int64_t concordant = 0;  ///< ordered alike
  std::int64_t discordant = 0;  ///< ordered oppositely
  std::int64_t tied_x = 0;      ///< equal in x, whether or not in y
  std::int64_t tied_y = 0;      ///< equal in y, whether or not in x
  std::int64_t tied_both = 0;   ///< equal in both
};

/// Compares the orders that x and y give to the same items. Infinities are ordered like numbers.
/// @throws luq::error shape_mismatch, non_finite for a NaN, insufficient_data for fewer than two items
[[nodiscard]] pair_counts count_pairs(std::span<const double> x, std::span<const double> y);

/// Kendall's tau-b of two scores of the same items, in [-1, 1].
/// @throws luq::error as count_pairs, and insufficient_data if x or y is constant, which is no order
[[nodiscard]] double kendall_tau(std::span<const double> x, std::span<const double> y);

/// Normalised Kendall distance of two scores of the same items, in [0, 1].
/// @throws luq::error as count_pairs
[[nodiscard]] double kendall_distance(std::span<const double> x, std::span<const double> y);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/estimators/impl/kendall_tau.hpp"
#endif
