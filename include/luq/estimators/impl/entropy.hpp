// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <numbers>

#include "luq/core/assert.hpp"
#include "luq/estimators/entropy.hpp"

namespace luq {

LUQ_INLINE double plug_in_entropy(std::span<const double> counts) {
  double total = 0;
  for (const double count : counts) {
    LUQ_ASSERT(count >= 0);
    total += count;
  }
  double entropy = 0;
  for (const double count : counts) {
    if (count > 0) entropy -= count / total * std::log2(count / total);
  }
  return entropy > 0 ? entropy : 0.0;  // one full cell sums to -0
}

LUQ_INLINE double miller_madow_entropy(std::span<const double> counts) {
  double total = 0;
  double occupied = 0;
  for (const double count : counts) {
    total += count;
    occupied += count > 0 ? 1 : 0;
  }
  return total > 0 ? plug_in_entropy(counts) + (occupied - 1) / (2 * total * std::numbers::ln2) : 0.0;
}

}  // namespace luq
