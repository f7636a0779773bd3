// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// In which order layers move to the ultra-low codec. LUQ's is lowest entropy first; the others are its controls: an
// order that does not beat them says nothing about layers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/core/index.hpp"

namespace luq {

/// Layers, the first to be moved first; a permutation of 0 ... layers-1.
using layer_order = std::vector<index>;

/// From the first layer to the last.
[[nodiscard]] layer_order depth_order(index layers);

/// By rising score, ties in order of depth.
/// @throws luq::error non_finite
[[nodiscard]] layer_order lowest_score_first(std::span<const double> scores);

/// LUQ's order (arXiv 2509.23729, section 3): by rising entropy in bits, one per layer, computed once.
[[nodiscard]] layer_order lowest_entropy_first(std::span<const double> entropies);

/// The reverse of LUQ's order, ties included.
[[nodiscard]] layer_order highest_entropy_first(std::span<const double> entropies);

/// A uniformly random order, the same for the same seed everywhere.
[[nodiscard]] layer_order random_order(index layers, std::uint64_t seed);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/policy/impl/layer_order.hpp"
#endif
