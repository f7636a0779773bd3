// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// LUQ's search: the first k layers of an order get the ultra-low recipe, the others the high one, and k is chosen to
// meet a budget. All k = 0 ... L are looked at. The published bisection assumes that quality falls with k; it does not
// always, and a scan sees that.
//
// Three budgets: bytes, true bits a weight, and quality. The first two need no evaluation and take the fewest low
// layers that fit; the third takes the smallest plan of a scan that is good enough.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "luq/codecs/recipe.hpp"
#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/core/progress.hpp"
#include "luq/policy/layer_order.hpp"
#include "luq/policy/model_shape.hpp"
#include "luq/policy/plan.hpp"

namespace luq {

/// The two recipes a layer can have, and the order in which layers move from high to low.
struct prefix_policy {
  model_shape shape;
  layer_order order;  ///< a permutation of the layers
  recipe low;
  recipe high;
  std::string order_name = "given order";  ///< for plan::reason

  [[nodiscard]] index layers() const { return static_cast<index>(shape.size()); }
};

/// @throws luq::error invalid_argument if the order is no permutation of the layers, or as require_valid()
void require_consistent(const prefix_policy& policy);

/// The plan with the first k layers of the order on the low recipe, 0 <= k <= layers.
/// @throws luq::error invalid_argument if the policy is not consistent or k is out of range
[[nodiscard]] plan prefix_plan(const prefix_policy& policy, index k);

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
    plan choice = prefix_plan(policy, k);
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
[[nodiscard]] plan plan_within_bytes(const prefix_policy& policy, index budget);

/// The plan with the fewest low layers that occupies at most `bits` true bits a weight on average.
/// @throws luq::error impossible_budget naming the smallest average of any prefix, invalid_argument if `bits` is NaN or
///   the policy is not consistent
[[nodiscard]] plan plan_within_bits(const prefix_policy& policy, double bits);

/// Of the scanned plans whose quality is at least `least`, the one of fewest bytes; of equals the one of more quality,
/// then the earlier. Where the low recipe is the smaller one, that is the largest k whose quality suffices, even if a
/// smaller k falls short.
/// @throws luq::error impossible_budget naming the best quality found, invalid_argument if `least` is NaN
[[nodiscard]] scan_point smallest_with_quality(std::span<const scan_point> points, double least);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/policy/impl/prefix_scan.hpp"
#endif
