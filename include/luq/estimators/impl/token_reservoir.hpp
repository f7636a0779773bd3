// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <utility>

#include "luq/core/detail/row_pointer.hpp"
#include "luq/core/error.hpp"
#include "luq/core/random.hpp"
#include "luq/estimators/token_reservoir.hpp"

namespace luq {

LUQ_INLINE token_reservoir::token_reservoir(index width, index capacity, std::uint64_t seed)
    : width_(width), capacity_(capacity), seed_(seed) {
  if (capacity < 1) fail(errc::invalid_argument, "token reservoir: expected capacity >= 1, got ", capacity);
}

LUQ_INLINE void token_reservoir::add(const token_identity& identity, const float* x) {
  ++seen_;
  offer({hash(identity), identity, 0}, x);
}

LUQ_INLINE void token_reservoir::merge(const token_reservoir& other) {
  if (other.width_ != width_ || other.capacity_ != capacity_ || other.seed_ != seed_) {
    fail(errc::shape_mismatch, "token reservoir merge: expected width ", width_, ", capacity ", capacity_, " and seed ",
         seed_, ", got ", other.width_, ", ", other.capacity_, " and ", other.seed_);
  }
  for (const key& k : other.keys_) offer(k, other.row(k.slot));
  seen_ += other.seen_;
}

LUQ_INLINE matrix token_reservoir::smallest(std::initializer_list<const token_reservoir*> reservoirs, index count) {
  std::vector<std::pair<key, const token_reservoir*>> all;
  index width = 0;
  for (const token_reservoir* reservoir : reservoirs) {
    for (const key& k : reservoir->keys_) all.emplace_back(k, reservoir);
    width = reservoir->width_;
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t i = 1; i < all.size(); ++i) {
    const token_identity& identity = all[i].first.identity;
    if (identity == all[i - 1].first.identity) {
      fail(errc::invalid_argument, "token reservoir: token ", identity.position, " of sequence ", identity.sequence,
           ": expected to see it once, got it twice");
    }
  }
  matrix result((std::min)(count, static_cast<index>(all.size())), width);
  for (index t = 0; t < result.rows(); ++t) {
    const auto& [k, reservoir] = all[static_cast<std::size_t>(t)];
    std::copy_n(reservoir->row(k.slot), width, detail::row_pointer(result, t));
  }
  return result;
}

LUQ_INLINE std::uint64_t token_reservoir::hash(const token_identity& identity) const {
  constexpr std::uint64_t domain = 0x746f6b656e206964u;  // so that no other use of the same seed draws these numbers
  return counter_rng(seed_ ^ domain, identity.sequence).bits(identity.position);
}

LUQ_INLINE void token_reservoir::offer(key candidate, const float* x) {
  if (size() < capacity_) {
    candidate.slot = size();
    values_.insert(values_.end(), x, x + width_);
  } else if (candidate < keys_.front()) {
    std::pop_heap(keys_.begin(), keys_.end());
    candidate.slot = keys_.back().slot;
    keys_.pop_back();
    std::copy_n(x, width_, values_.data() + candidate.slot * width_);
  } else {
    return;
  }
  keys_.push_back(candidate);
  std::push_heap(keys_.begin(), keys_.end());
}

}  // namespace luq
