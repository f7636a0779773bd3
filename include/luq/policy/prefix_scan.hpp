// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// LUQ's search: the first k layers of an order get the ultra-low codec, the others the high one, and k is chosen to
// meet a budget. All k = 0 ... L are looked at. The published bisection assumes that quality falls with k; it does not
// always, and a scan sees that.
//
// Three budgets: bytes, true bits a weight, and quality. The first two need no evaluation and take the fewest low
// layers that fit; the third takes the smallest plan of a scan that is good enough.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "luq/core/error.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/core/progress.hpp"
#include "luq/core/text.hpp"
#include "luq/policy/layer_order.hpp"
#include "luq/policy/plan.hpp"

namespace luq {

/// The two codecs a layer can have, and the order in which layers move from high to low.
struct prefix_policy {
  model_shape shape;
  layer_order order;  ///< a permutation of the layers
  any_codec low;
  any_codec high;
  std::string order_name = "given order";  ///< for plan::reason

  [[nodiscard]] index layers() const { return static_cast<index>(shape.size()); }
};

/// @throws luq::error invalid_argument if the order is no permutation of the layers, or as require_valid()
inline void require_consistent(const prefix_policy& policy) {
  require_valid(policy.shape);
  layer_order sorted = policy.order;
  std::sort(sorted.begin(), sorted.end());
  if (sorted != depth_order(policy.layers())) {
    fail(errc::invalid_argument, "layer order: expected a permutation of 0 ... ", policy.layers() - 1, ", got ",
         policy.order.size(), " entries that are none");
  }
}

namespace detail {

/// prefix_plan() of a policy and a k that have been checked.
[[nodiscard]] inline plan checked_prefix_plan(const prefix_policy& policy, index k) {
  plan result{policy.shape, std::vector<any_codec>(policy.shape.size(), policy.high),
              policy.order_name + ", " + std::to_string(k) + " of " + std::to_string(policy.layers()) + " layers low"};
  for (index i = 0; i < k; ++i) {
    result.codecs[static_cast<std::size_t>(policy.order[static_cast<std::size_t>(i)])] = policy.low;
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
  fail(errc::impossible_budget, "budget of ", budget, ": the smallest possible with ", codec_name(policy.low), " and ",
       codec_name(policy.high), " is ", smallest, " bytes, ", bits_rounded_up, " bits a weight");
}

}  // namespace detail

/// The plan with the first k layers of the order on the low codec, 0 <= k <= layers.
/// @throws luq::error invalid_argument if the policy is not consistent or k is out of range
[[nodiscard]] inline plan prefix_plan(const prefix_policy& policy, index k) {
  require_consistent(policy);
  if (k < 0 || k > policy.layers()) {
    fail(errc::invalid_argument, "low layers: expected 0 ... ", policy.layers(), ", got ", k);
  }
  return detail::checked_prefix_plan(policy, k);
}

/// One step of a scan.
struct scan_point {
  index low_layers = 0;
  plan choice;
  double quality = 0;
};

/// Evaluates every prefix with quality(plan), higher is better: k = 0, 1, ... L in this order, one after the other on
/// the calling thread. A plan differs from the one before it in a single layer, order[k - 1].
/// @param observer  null for none; a unit is one plan
/// @throws luq::error non_finite if a quality is NaN, invalid_argument if the policy is not consistent, and what
///   quality() throws
template <class Quality>
[[nodiscard]] std::vector<scan_point> scan_prefixes(const prefix_policy& policy, Quality&& quality,
                                                    progress_observer* observer = nullptr) {
  require_consistent(policy);
  progress_scope progress(observer, "plans", static_cast<std::uint64_t>(policy.layers() + 1));
  std::vector<scan_point> points;
  for (index k = 0; k <= policy.layers(); ++k) {
    plan choice = detail::checked_prefix_plan(policy, k);
    const double value = quality(std::as_const(choice));
    if (is_nan(value)) fail(errc::non_finite, "quality of ", choice.reason, ": expected a number, got ", value);
    points.push_back({k, std::move(choice), value});
    progress.advance();
  }
  return points;
}

/// The plan with the fewest low layers that occupies at most `budget` bytes.
/// @throws luq::error impossible_budget naming the smallest size of any prefix, invalid_argument if the policy is not
///   consistent
[[nodiscard]] inline plan plan_within_bytes(const prefix_policy& policy, index budget) {
  return detail::first_fitting_plan(policy, std::to_string(budget) + " bytes",
                                    [budget](const plan& p) { return total_bytes(p) <= budget; });
}

/// The plan with the fewest low layers that occupies at most `bits` true bits a weight on average.
/// @throws luq::error impossible_budget naming the smallest average of any prefix, invalid_argument if `bits` is NaN or
///   the policy is not consistent
[[nodiscard]] inline plan plan_within_bits(const prefix_policy& policy, double bits) {
  if (is_nan(bits)) fail(errc::invalid_argument, "budget of bits a weight: expected a number, got ", bits);
  return detail::first_fitting_plan(policy, text_of(bits, " bits a weight"),
                                    [bits](const plan& p) { return average_bits(p) <= bits; });
}

/// Of the scanned plans whose quality is at least `least`, the one of fewest bytes; of equals the one of more quality,
/// then the earlier. Where the low codec is the smaller one, that is the largest k whose quality suffices, even if a
/// smaller k falls short.
/// @throws luq::error impossible_budget naming the best quality found, invalid_argument if `least` is NaN
[[nodiscard]] inline scan_point smallest_with_quality(std::span<const scan_point> points, double least) {
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
