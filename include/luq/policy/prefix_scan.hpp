// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// LUQ's search: the first k layers of an order get the ultra-low codec, the others the high one, and k is chosen to
// meet a budget. All k = 0 ... L are looked at. The published bisection assumes that quality falls with k; it does not
// always, and a scan sees that.
#pragma once

#include <algorithm>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "luq/core/error.hpp"
#include "luq/core/progress.hpp"
#include "luq/policy/layer_order.hpp"
#include "luq/policy/plan.hpp"

namespace luq {

/// The two codecs a layer can have, and the order in which layers move from high to low.
struct prefix_policy {
  model_shape shape;
  layer_order order;
  any_codec low;
  any_codec high;
  std::string order_name = "given order";  ///< for plan::reason

  [[nodiscard]] index layers() const { return static_cast<index>(shape.size()); }
};

/// The plan with the first k layers of the order on the low codec, 0 <= k <= layers.
/// @throws luq::error invalid_argument if the order is no permutation of the layers or k is out of range
[[nodiscard]] inline plan prefix_plan(const prefix_policy& policy, index k) {
  layer_order sorted = policy.order;
  std::sort(sorted.begin(), sorted.end());
  if (sorted != depth_order(policy.layers())) {
    fail(errc::invalid_argument, "layer order: expected a permutation of ", policy.layers(), " layers, got ",
         policy.order.size(), " entries that are none");
  }
  if (k < 0 || k > policy.layers()) {
    fail(errc::invalid_argument, "low layers: expected 0 ... ", policy.layers(), ", got ", k);
  }
  plan result{policy.shape, std::vector<any_codec>(policy.shape.size(), policy.high),
              policy.order_name + ", " + std::to_string(k) + " of " + std::to_string(policy.layers()) + " layers low"};
  for (index i = 0; i < k; ++i) {
    result.codecs[static_cast<std::size_t>(policy.order[static_cast<std::size_t>(i)])] = policy.low;
  }
  return result;
}

/// One step of a scan.
struct scan_point {
  index low_layers = 0;
  plan choice;
  double quality = 0;
};

/// Evaluates every prefix, k = 0 ... L, with quality(plan), higher is better.
/// @param observer  null for none; a unit is one plan
template <class Quality>
[[nodiscard]] std::vector<scan_point> scan_prefixes(const prefix_policy& policy, Quality&& quality,
                                                    progress_observer* observer = nullptr) {
  progress_scope progress(observer, "plans", static_cast<std::uint64_t>(policy.layers() + 1));
  std::vector<scan_point> points;
  for (index k = 0; k <= policy.layers(); ++k) {
    plan choice = prefix_plan(policy, k);
    const double value = quality(choice);
    points.push_back({k, std::move(choice), value});
    progress.advance();
  }
  return points;
}

/// The plan with the fewest low layers that occupies at most `budget` bytes.
/// @throws luq::error impossible_budget naming the smallest size of any prefix
[[nodiscard]] inline plan plan_within_bytes(const prefix_policy& policy, index budget) {
  index smallest = std::numeric_limits<index>::max();
  for (index k = 0; k <= policy.layers(); ++k) {
    plan candidate = prefix_plan(policy, k);
    const index bytes = total_bytes(candidate);
    if (bytes <= budget) return candidate;
    smallest = std::min(smallest, bytes);
  }
  fail(errc::impossible_budget, "budget of ", budget, " bytes: the smallest possible with ", codec_name(policy.low),
       " and ", codec_name(policy.high), " is ", smallest, " bytes");
}

/// The plan with the fewest low layers that occupies at most `bits` true bits a weight on average.
/// @throws luq::error impossible_budget naming the smallest average of any prefix
[[nodiscard]] inline plan plan_within_bits(const prefix_policy& policy, double bits) {
  double smallest = std::numeric_limits<double>::infinity();
  for (index k = 0; k <= policy.layers(); ++k) {
    plan candidate = prefix_plan(policy, k);
    const double average = average_bits(candidate);
    if (average <= bits) return candidate;
    smallest = std::min(smallest, average);
  }
  fail(errc::impossible_budget, "budget of ", bits, " bits a weight: the smallest possible with ",
       codec_name(policy.low), " and ", codec_name(policy.high), " is ", smallest, " bits");
}

/// Of the scanned plans whose quality is at least `least`, the one of fewest bytes; of equals the one of more quality.
/// @throws luq::error impossible_budget naming the best quality found
[[nodiscard]] inline const scan_point& smallest_with_quality(std::span<const scan_point> points, double least) {
  const scan_point* best = nullptr;
  double highest = -std::numeric_limits<double>::infinity();
  for (const scan_point& point : points) {
    highest = std::max(highest, point.quality);
    if (!(point.quality >= least)) continue;
    const bool smaller = best == nullptr || total_bytes(point.choice) < total_bytes(best->choice);
    const bool equal = best != nullptr && total_bytes(point.choice) == total_bytes(best->choice);
    if (smaller || (equal && point.quality > best->quality)) best = &point;
  }
  if (best == nullptr) {
    fail(errc::impossible_budget, "quality of at least ", least, ": the best of ", points.size(), " plans has ",
         highest);
  }
  return *best;
}

}  // namespace luq
