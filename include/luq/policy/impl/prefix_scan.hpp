// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "luq/core/text.hpp"
#include "luq/policy/prefix_scan.hpp"

namespace luq {
namespace detail {

/// prefix_plan() of a policy and a k that have been checked.
[[nodiscard]] LUQ_INLINE plan checked_prefix_plan(const prefix_policy& policy, index k) {
  plan result{policy.shape, std::vector<recipe>(policy.shape.size(), policy.high),
              policy.order_name + ", " + std::to_string(k) + " of " + std::to_string(policy.layers()) + " layers low"};
  for (index i = 0; i < k; ++i) {
    result.recipes[static_cast<std::size_t>(policy.order[static_cast<std::size_t>(i)])] = policy.low;
  }
  return result;
}

/// The plan with the fewest low layers for which `fits(plan)`.
/// @param budget  "1000 bytes" or the like, for messages and plan::reason
template <class Fits>
[[nodiscard]] plan first_fitting_plan(const prefix_policy& policy, const std::string& budget, Fits&& fits) {
  require_consistent(policy);
  index smallest = (std::numeric_limits<index>::max)();
  for (index k = 0; k <= policy.layers(); ++k) {
    plan candidate = checked_prefix_plan(policy, k);
    if (fits(candidate)) {
      candidate.reason += ", the fewest for at most " + budget;
      return candidate;
    }
    smallest = (std::min)(smallest, total_bytes(candidate));
  }
  const double bits = 8.0 * static_cast<double>(smallest) / static_cast<double>(weights_of(policy.shape));
  const double bits_rounded_up = std::ceil(bits * 1e4) / 1e4;  // what the message names must itself be possible
  fail(errc::impossible_budget, "budget of ", budget, ": the smallest possible with ", stored_name(policy.low), " and ",
       stored_name(policy.high), " is ", smallest, " bytes, ", bits_rounded_up, " bits a weight");
}

}  // namespace detail

LUQ_INLINE void require_consistent(const prefix_policy& policy) {
  require_valid(policy.shape);
  layer_order sorted = policy.order;
  std::sort(sorted.begin(), sorted.end());
  if (sorted != depth_order(policy.layers())) {
    fail(errc::invalid_argument, "layer order: expected a permutation of 0 ... ", policy.layers() - 1, ", got ",
         policy.order.size(), " entries that are none");
  }
}

LUQ_INLINE plan prefix_plan(const prefix_policy& policy, index k) {
  require_consistent(policy);
  if (k < 0 || k > policy.layers()) {
    fail(errc::invalid_argument, "low layers: expected 0 ... ", policy.layers(), ", got ", k);
  }
  return detail::checked_prefix_plan(policy, k);
}

LUQ_INLINE plan plan_within_bytes(const prefix_policy& policy, index budget) {
  return detail::first_fitting_plan(policy, std::to_string(budget) + " bytes",
                                    [budget](const plan& p) { return total_bytes(p) <= budget; });
}

LUQ_INLINE plan plan_within_bits(const prefix_policy& policy, double bits) {
  if (is_nan(bits)) fail(errc::invalid_argument, "budget of bits a weight: expected a number, got ", bits);
  return detail::first_fitting_plan(policy, text_of(bits, " bits a weight"),
                                    [bits](const plan& p) { return average_bits(p) <= bits; });
}

LUQ_INLINE scan_point smallest_with_quality(std::span<const scan_point> points, double least) {
  if (is_nan(least)) fail(errc::invalid_argument, "least quality: expected a number, got ", least);
  const scan_point* best = nullptr;
  double highest = -std::numeric_limits<double>::infinity();
  for (const scan_point& point : points) {
    highest = (std::max)(highest, point.quality);
    if (is_nan(point.quality) || point.quality < least) continue;
    const bool smaller = best == nullptr || total_bytes(point.choice) < total_bytes(best->choice);
    const bool equal = best != nullptr && total_bytes(point.choice) == total_bytes(best->choice);
    if (smaller || (equal && point.quality > best->quality)) best = &point;
  }
  if (best == nullptr) {
    fail(errc::impossible_budget, "quality of at least ", least, ": the best of ", points.size(), " plans has ",
         highest);
  }
  scan_point result = *best;
  result.choice.reason += text_of(", the smallest with a quality of at least ", least);
  return result;
}

}  // namespace luq
