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

#include <compare>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/core/matrix_view.hpp"

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
  token_reservoir(index width, index capacity, std::uint64_t seed);

  [[nodiscard]] index width() const { return width_; }
  [[nodiscard]] index capacity() const { return capacity_; }

  /// Tokens kept.
  [[nodiscard]] index size() const { return static_cast<index>(keys_.size()); }

  /// Tokens offered.
  [[nodiscard]] index seen() const { return seen_; }

  /// Offers one token.
  /// @param x  [width] values
  void add(const token_identity& identity, const float* x);

  /// Takes in what another reservoir of the same width, capacity and seed has seen.
  /// @throws luq::error shape_mismatch if they differ
  void merge(const token_reservoir& other);

  /// The `count` kept tokens of smallest hash among several reservoirs of one stream, in order of hash.
  /// @return [min(count, tokens kept) x width]
  /// @throws luq::error invalid_argument naming a token that was added more than once
  [[nodiscard]] static matrix smallest(std::initializer_list<const token_reservoir*> reservoirs, index count);

 private:
  struct key {
    std::uint64_t hash;
    token_identity identity;  // decides between equal hashes
    index slot;               // where the values are

    friend bool operator<(const key& a, const key& b) {
      return a.hash != b.hash ? a.hash < b.hash : a.identity < b.identity;
    }
  };

  [[nodiscard]] std::uint64_t hash(const token_identity& identity) const;

  [[nodiscard]] const float* row(index slot) const { return values_.data() + slot * width_; }

  void offer(key candidate, const float* x);

  index width_;
  index capacity_;
  std::uint64_t seed_;
  index seen_ = 0;
  std::vector<key> keys_;      // a heap with the greatest hash first
  std::vector<float> values_;  // [size x width]
};

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/estimators/impl/token_reservoir.hpp"
#endif
