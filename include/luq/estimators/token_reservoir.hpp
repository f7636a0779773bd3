// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A uniform sample of bounded size from a stream of token vectors: the tokens whose identity (sequence, position) has
// the smallest hash. Which tokens are kept depends on nothing else, neither on their order nor on how the stream was
// split, so two reservoirs merge exactly, and layers that see the same tokens keep the same ones. (Bottom-k sampling,
// Cohen and Kaplan, PODC 2007.)
//
// The hash is of the identity and not of the values, because streams hold equal vectors (every <bos>), and a hash of
// values would keep all copies of one or none. The price is that identities must be unique in a stream: a token that
// comes twice, or in two parts that are merged, is reported as an error if it is kept.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

#include "luq/core/error.hpp"
#include "luq/core/matrix_view.hpp"
#include "luq/core/random.hpp"

namespace luq {

/// Which token of a stream. No two tokens of a stream share both numbers.
struct token_identity {
  std::uint64_t sequence = 0;
  std::uint64_t position = 0;

  friend auto operator<=>(const token_identity&, const token_identity&) = default;
};

class token_reservoir {
 public:
  /// @param capacity  tokens kept at most, >= 1
  /// @param seed      of the hash; reservoirs that are merged or compared must have the same
  token_reservoir(index width, index capacity, std::uint64_t seed) : width_(width), capacity_(capacity), seed_(seed) {
    if (capacity < 1) fail(errc::invalid_argument, "token reservoir: expected capacity >= 1, got ", capacity);
  }

  [[nodiscard]] index width() const { return width_; }
  [[nodiscard]] index capacity() const { return capacity_; }

  /// Tokens kept.
  [[nodiscard]] index size() const { return static_cast<index>(keys_.size()); }

  /// Tokens offered.
  [[nodiscard]] index seen() const { return seen_; }

  /// Offers one token.
  /// @param x  [width] values
  void add(const token_identity& identity, const float* x) {
    ++seen_;
    offer({hash(identity), identity, 0}, x);
  }

  /// Takes in what another reservoir of the same width, capacity and seed has seen.
  /// @throws luq::error shape_mismatch if they differ
  void merge(const token_reservoir& other) {
    if (other.width_ != width_ || other.capacity_ != capacity_ || other.seed_ != seed_) {
      fail(errc::shape_mismatch, "token reservoir merge: expected width ", width_, ", capacity ", capacity_,
           " and seed ", seed_, ", got ", other.width_, ", ", other.capacity_, " and ", other.seed_);
    }
    for (const key& k : other.keys_) offer(k, other.row(k.slot));
    seen_ += other.seen_;
  }

  /// The `count` kept tokens of smallest hash among several reservoirs of one stream, in order of hash.
  /// @return [min(count, tokens kept) x width]
  /// @throws luq::error invalid_argument naming a token that was added more than once
  [[nodiscard]] static matrix smallest(std::initializer_list<const token_reservoir*> reservoirs, index count) {
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
      std::copy_n(reservoir->row(k.slot), width, result.row(t).data());
    }
    return result;
  }

 private:
  struct key {
    std::uint64_t hash;
    token_identity identity;  // decides between equal hashes
    index slot;               // where the values are

    friend bool operator<(const key& a, const key& b) {
      return a.hash != b.hash ? a.hash < b.hash : a.identity < b.identity;
    }
  };

  [[nodiscard]] std::uint64_t hash(const token_identity& identity) const {
    constexpr std::uint64_t domain = 0x746f6b656e206964u;  // so that no other use of the same seed draws these numbers
    return counter_rng(seed_ ^ domain, identity.sequence).bits(identity.position);
  }

  [[nodiscard]] const float* row(index slot) const { return values_.data() + slot * width_; }

  void offer(key candidate, const float* x) {
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

  index width_;
  index capacity_;
  std::uint64_t seed_;
  index seen_ = 0;
  std::vector<key> keys_;      // a heap with the greatest hash first
  std::vector<float> values_;  // [size x width]
};

}  // namespace luq
