// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>

#include "luq/core/assert.hpp"
#include "luq/core/error.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/core/random.hpp"
#include "luq/policy/layer_order.hpp"

namespace luq {

LUQ_INLINE layer_order depth_order(index layers) {
  LUQ_ASSERT(layers >= 0);
  layer_order order(static_cast<std::size_t>(layers));
  std::iota(order.begin(), order.end(), index{0});
  return order;
}

LUQ_INLINE layer_order lowest_score_first(std::span<const double> scores) {
  for (std::size_t layer = 0; layer < scores.size(); ++layer) {
    if (!is_finite(scores[layer])) {
      fail(errc::non_finite, "score of layer ", layer, ": expected a finite number, got ", scores[layer]);
    }
  }
  layer_order order = depth_order(static_cast<index>(scores.size()));
  std::sort(order.begin(), order.end(), [&](index a, index b) {
    const double score = scores[static_cast<std::size_t>(a)];
    const double other = scores[static_cast<std::size_t>(b)];
    return score != other ? score < other : a < b;
  });
  return order;
}

LUQ_INLINE layer_order lowest_entropy_first(std::span<const double> entropies) {
  return lowest_score_first(entropies);
}

LUQ_INLINE layer_order highest_entropy_first(std::span<const double> entropies) {
  layer_order order = lowest_score_first(entropies);
  std::reverse(order.begin(), order.end());
  return order;
}

LUQ_INLINE layer_order random_order(index layers, std::uint64_t seed) {
  return random_permutation(layers, counter_rng(seed));
}

}  // namespace luq
