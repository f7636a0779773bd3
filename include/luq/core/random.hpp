// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Counter-based random numbers: Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as
// 1, 2, 3" (SC 2011). The n-th number of a stream is a pure function of (seed, stream, n), so results depend neither
// on the standard library nor on how work is divided among threads, and any token can be sampled by its identity.
//
// Integers, uniforms and permutations are the same bits everywhere; normal() passes through the C library's log and
// cos and is the same to within their rounding. Not for cryptography.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "luq/core/compiled.hpp"
#include "luq/core/index.hpp"

namespace luq {

/// One block of Philox4x32-10: 128 counter bits and 64 key bits to 128 random bits.
[[nodiscard]] constexpr std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                                std::array<std::uint32_t, 2> key) noexcept {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xD2511F53u} * counter[0];
    const std::uint64_t product1 = std::uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(product0)};
    key[0] += 0x9E3779B9u;  // Weyl constants: the golden ratio and sqrt(3) - 1
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

/// A stream of random numbers addressed by position. Streams with different seed or stream number are independent.
class counter_rng {
 public:
  explicit constexpr counter_rng(std::uint64_t seed, std::uint64_t stream = 0) noexcept
      : seed_(seed), stream_(stream) {}

  /// 64 uniform random bits, a pure function of (seed, stream, position).
  [[nodiscard]] constexpr std::uint64_t bits(std::uint64_t position) const noexcept {
    const auto block =
        philox4x32({low(position), high(position), low(stream_), high(stream_)}, {low(seed_), high(seed_)});
    return (std::uint64_t{block[1]} << 32) | block[0];
  }

  /// Uniform in [0, 1), a multiple of 2^-53.
  [[nodiscard]] constexpr double uniform(std::uint64_t position) const noexcept {
    return static_cast<double>(bits(position) >> 11) * 0x1p-53;
  }

  /// Standard normal (Box and Muller 1958). Position n of normal() uses positions 2n and 2n + 1 of uniform().
  [[nodiscard]] double normal(std::uint64_t position) const noexcept {
    const double radius = std::sqrt(-2.0 * std::log1p(-uniform(2 * position)));
    return radius * std::cos(2.0 * std::numbers::pi * uniform(2 * position + 1));
  }

  /// Uniform in [0, bound), bound >= 1: the multiply-high map of Lemire (2019) without its rejection step, whose
  /// omitted bias is below bound / 2^64 and so invisible to any sample that fits a machine.
  [[nodiscard]] constexpr std::uint64_t below(std::uint64_t position, std::uint64_t bound) const noexcept {
    const std::uint64_t value = bits(position);
    const std::uint64_t upper = (value >> 32) * (bound >> 32);
    const std::uint64_t cross0 = (value >> 32) * (bound & 0xffffffffu);
    const std::uint64_t cross1 = (value & 0xffffffffu) * (bound >> 32);
    const std::uint64_t lower = (value & 0xffffffffu) * (bound & 0xffffffffu);
    const std::uint64_t carry = ((lower >> 32) + (cross0 & 0xffffffffu) + (cross1 & 0xffffffffu)) >> 32;
    return upper + (cross0 >> 32) + (cross1 >> 32) + carry;
  }

 private:
  static constexpr std::uint32_t low(std::uint64_t value) noexcept { return static_cast<std::uint32_t>(value); }
  static constexpr std::uint32_t high(std::uint64_t value) noexcept { return static_cast<std::uint32_t>(value >> 32); }

  std::uint64_t seed_;
  std::uint64_t stream_;
};

/// A uniformly random order of 0 ... count-1 (Fisher and Yates), the same on every platform.
[[nodiscard]] std::vector<index> random_permutation(index count, const counter_rng& rng);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/core/impl/random.hpp"
#endif
