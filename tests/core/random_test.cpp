// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/core/random.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <set>
#include <vector>

using luq::counter_rng;
using luq::philox4x32;

namespace {

using block = std::array<std::uint32_t, 4>;

__extension__ using uint128 = unsigned __int128;

}  // namespace

TEST_CASE("Philox4x32-10 gives the published known answers") {
  // kat_vectors of Random123: all zeros, all ones, digits of pi.
  static_assert(philox4x32({0, 0, 0, 0}, {0, 0}) == block{0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u});
  static_assert(philox4x32({0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu}, {0xffffffffu, 0xffffffffu}) ==
                block{0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu});
  CHECK(philox4x32({0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u}, {0xa4093822u, 0x299f31d0u}) ==
        block{0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u});
}

TEST_CASE("bits place position, stream and seed in the words of the Philox block") {
  const counter_rng rng(0x299f31d0a4093822u, 0x0370734413198a2eu);
  CHECK(rng.bits(0x85a308d3243f6a88u) == 0x94fdccebd16cfe09u);
  CHECK(counter_rng(0).bits(0) == 0xe169c58d6627e8d5u);
  CHECK(counter_rng(1, 0).bits(0) != counter_rng(0, 1).bits(0));
}

TEST_CASE("uniform is the upper 53 bits, in [0, 1)") {
  const counter_rng rng(7);
  double sum = 0;
  double squares = 0;
  constexpr int draws = 100000;
  for (int i = 0; i < draws; ++i) {
    const double u = rng.uniform(static_cast<std::uint64_t>(i));
    REQUIRE(u >= 0.0);
    REQUIRE(u < 1.0);
    REQUIRE(std::ldexp(u, 53) == static_cast<double>(rng.bits(static_cast<std::uint64_t>(i)) >> 11));
    sum += u;
    squares += u * u;
  }
  CHECK(sum / draws == doctest::Approx(0.5).epsilon(0.01));             // 5 standard errors are 0.0046
  CHECK(squares / draws == doctest::Approx(1.0 / 3.0).epsilon(0.015));  // 5 standard errors are 0.0047
}

TEST_CASE("normal has the moments of the standard normal distribution") {
  const counter_rng rng(11, 3);
  constexpr int draws = 100000;
  double sum = 0;
  double squares = 0;
  double fourth = 0;
  int beyond_two = 0;
  for (int i = 0; i < draws; ++i) {
    const double z = rng.normal(static_cast<std::uint64_t>(i));
    REQUIRE(std::isfinite(z));
    sum += z;
    squares += z * z;
    fourth += z * z * z * z;
    beyond_two += std::abs(z) > 2 ? 1 : 0;
  }
  CHECK(std::abs(sum / draws) < 5 / std::sqrt(draws));
  CHECK(std::abs(squares / draws - 1) < 5 * std::sqrt(2.0 / draws));
  CHECK(std::abs(fourth / draws - 3) < 5 * std::sqrt(96.0 / draws));
  CHECK(beyond_two == doctest::Approx(0.0455 * draws).epsilon(0.08));
}

TEST_CASE("below is the upper half of the 128-bit product with the bound") {
  const counter_rng rng(13);
  const std::vector<std::uint64_t> bounds{
      1, 2, 3, 10, 0xffffffffu, 0x100000000u, 0x100000001u, 0x123456789abcdefu, 0x8000000000000000u, ~std::uint64_t{0}};
  for (const std::uint64_t bound : bounds) {
    CAPTURE(bound);
    for (std::uint64_t i = 0; i < 1000; ++i) {
      const auto product = static_cast<uint128>(rng.bits(i)) * bound;
      REQUIRE(rng.below(i, bound) == static_cast<std::uint64_t>(product >> 64));
    }
  }
}

TEST_CASE("a permutation holds every position once and depends on seed and stream") {
  for (const luq::index count : {0, 1, 2, 17, 1000}) {
    CAPTURE(count);
    auto order = luq::random_permutation(count, counter_rng(5));
    CHECK(order == luq::random_permutation(count, counter_rng(5)));
    std::sort(order.begin(), order.end());
    for (luq::index i = 0; i < count; ++i) REQUIRE(order[static_cast<std::size_t>(i)] == i);
  }
  CHECK(luq::random_permutation(100, counter_rng(5)) != luq::random_permutation(100, counter_rng(6)));
  CHECK(luq::random_permutation(100, counter_rng(5)) != luq::random_permutation(100, counter_rng(5, 1)));
}

TEST_CASE("every order of three is equally likely") {
  std::array<int, 6> count{};
  constexpr int draws = 60000;
  for (int i = 0; i < draws; ++i) {
    const auto order = luq::random_permutation(3, counter_rng(static_cast<std::uint64_t>(i)));
    ++count[static_cast<std::size_t>(order[0] * 2 + (order[1] > order[2] ? 1 : 0))];
  }
  for (const int c : count) CHECK(std::abs(c - draws / 6) < 5 * std::sqrt(draws * (1.0 / 6) * (5.0 / 6)));
}
