// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// In which order layers move to the ultra-low codec. LUQ's is lowest entropy first; the others are its controls: an
// order that does not beat them says nothing about layers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "luq/core/assert.hpp"
#include "luq/core/error.hpp"
#include "luq/core/index.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/core/random.hpp"

namespace luq {

/// Layers, the first to be moved first; a permutation of 0 ... layers-1.
using layer_order = std::vector<index>;

/// From the first layer to the last.
[[nodiscard]] inline layer_order depth_order(index layers) {
  LUQ_ASSERT(layers >= 0);
  layer_order order(static_cast<std::size_t>(layers));
  std::iota(order.begin(), order.end(), index{0});
  return order;
}

/// By rising score, ties in order of depth.
/// @throws luq::error non_finite
[[nodiscard]] inline layer_order lowest_score_first(std::span<const double> scores) {
  for (std::size_t layer = 0; layer < scores.size(); ++layer) {
    if (!is_finite(scores[layer])) {
      fail(errc::non_finite, "score of layer ", layer, ": expected a finite number, got ", scores[layer]);
    }
  }
  layer_order order = depth_order(static_cast<index>(scores.size()));
  std::stable_sort(order.begin(), order.end(), [&](index a, index b) {
    return scores[static_cast<std::size_t>(a)] < scores[static_cast<std::size_t>(b)];
  });
  return order;
}

/// LUQ's order (arXiv 2509.23729, section 3): by rising entropy in bits, one per layer, computed once.
[[nodiscard]] inline layer_order lowest_entropy_first(std::span<const double> entropies) {
  return lowest_score_first(entropies);
}

/// The reverse of LUQ's order, ties included.
[[nodiscard]] inline layer_order highest_entropy_first(std::span<const double> entropies) {
  layer_order order = lowest_score_first(entropies);
  std::reverse(order.begin(), order.end());
  return order;
}

/// A uniformly random order, the same for the same seed everywhere.
[[nodiscard]] inline layer_order random_order(index layers, std::uint64_t seed) {
  return random_permutation(layers, counter_rng(seed));
}

}  // namespace luq
