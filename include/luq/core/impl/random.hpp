// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <numeric>
#include <utility>

#include "luq/core/assert.hpp"
#include "luq/core/random.hpp"

namespace luq {

LUQ_INLINE std::vector<index> random_permutation(index count, const counter_rng& rng) {
  LUQ_ASSERT(count >= 0);
  std::vector<index> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), index{0});
  for (std::uint64_t remaining = order.size(); remaining > 1; --remaining) {
    std::swap(order[remaining - 1], order[rng.below(remaining, remaining)]);
  }
  return order;
}

}  // namespace luq
