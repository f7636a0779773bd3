// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/estimators/token_reservoir.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "error_of.hpp"
#include "luq/core/random.hpp"

using luq::matrix;
using luq::token_identity;
using luq::token_reservoir;
using luq_test::error_of;

namespace {

/// Values that tell which token they belong to.
std::vector<float> values_of(const token_identity& identity) {
  return {static_cast<float>(identity.sequence), static_cast<float>(identity.position), -1.0f};
}

void add(token_reservoir& reservoir, const token_identity& identity) {
  reservoir.add(identity, values_of(identity).data());
}

/// Ten sequences of 100 tokens.
std::vector<token_identity> stream() {
  std::vector<token_identity> result;
  for (std::uint64_t sequence = 0; sequence < 10; ++sequence) {
    for (std::uint64_t position = 0; position < 100; ++position) result.push_back({sequence, position});
  }
  return result;
}

}  // namespace

TEST_CASE("a reservoir larger than the stream keeps every token with its values") {
  token_reservoir reservoir(3, 2000, 1);
  for (const auto& identity : stream()) add(reservoir, identity);
  CHECK(reservoir.size() == 1000);
  CHECK(reservoir.seen() == 1000);
  const matrix kept = token_reservoir::smallest({&reservoir}, 5000);
  REQUIRE(kept.rows() == 1000);
  std::set<std::pair<float, float>> identities;
  for (luq::index t = 0; t < 1000; ++t) {
    identities.emplace(kept(t, 0), kept(t, 1));
    REQUIRE(kept(t, 2) == -1.0f);
  }
  CHECK(identities.size() == 1000);
}

TEST_CASE("a smaller reservoir keeps the first of the larger one's order, at every capacity") {
  token_reservoir large(3, 1000, 1);
  for (const auto& identity : stream()) add(large, identity);
  const matrix order = token_reservoir::smallest({&large}, 1000);
  for (const luq::index capacity : {1, 2, 3, 10, 100, 999}) {
    CAPTURE(capacity);
    token_reservoir small(3, capacity, 1);
    for (const auto& identity : stream()) add(small, identity);
    CHECK(small.size() == capacity);
    CHECK(small.seen() == 1000);
    CHECK(token_reservoir::smallest({&small}, 1000) == matrix(order.topRows(capacity)));
    CHECK(token_reservoir::smallest({&small}, 1) == matrix(order.topRows(1)));
  }
}

TEST_CASE("any order and any split of the stream keep the same tokens") {
  token_reservoir whole(3, 150, 2);
  for (const auto& identity : stream()) add(whole, identity);
  const matrix reference = token_reservoir::smallest({&whole}, 150);
  for (std::uint64_t repeat = 0; repeat < 5; ++repeat) {
    std::vector<token_reservoir> parts(4, token_reservoir(3, 150, 2));
    const auto tokens = stream();
    for (const luq::index i : luq::random_permutation(1000, luq::counter_rng(3, repeat))) {
      const std::uint64_t part = luq::counter_rng(4, repeat).below(static_cast<std::uint64_t>(i), 4);
      add(parts[part], tokens[static_cast<std::size_t>(i)]);
    }
    parts[3].merge(parts[0]);
    parts[1].merge(parts[2]);
    parts[3].merge(parts[1]);
    CHECK(parts[3].seen() == 1000);
    CHECK(token_reservoir::smallest({&parts[3]}, 150) == reference);
  }
}

TEST_CASE("the smallest of two reservoirs are the smallest of their common stream") {
  token_reservoir common(3, 200, 5);
  token_reservoir even(3, 200, 5);
  token_reservoir odd(3, 200, 5);
  for (const auto& identity : stream()) {
    add(common, identity);
    add(identity.position % 2 == 0 ? even : odd, identity);
  }
  CHECK(token_reservoir::smallest({&even, &odd}, 200) == token_reservoir::smallest({&common}, 200));
  CHECK(token_reservoir::smallest({&odd, &even}, 200) == token_reservoir::smallest({&common}, 200));
}

TEST_CASE("every token is kept with the same probability, whatever its sequence and position") {
  std::vector<int> by_sequence(10, 0);
  std::vector<int> by_position(100, 0);
  constexpr int seeds = 400;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    token_reservoir reservoir(3, 100, seed);
    for (const auto& identity : stream()) add(reservoir, identity);
    const matrix kept = token_reservoir::smallest({&reservoir}, 100);
    for (luq::index t = 0; t < 100; ++t) {
      ++by_sequence[static_cast<std::size_t>(kept(t, 0))];
      ++by_position[static_cast<std::size_t>(kept(t, 1))];
    }
  }
  for (const int count : by_sequence) CHECK(std::abs(count - seeds * 10) < 5 * std::sqrt(seeds * 10 * 0.9));
  for (const int count : by_position) CHECK(std::abs(count - seeds) < 5 * std::sqrt(seeds * 0.9));
}

TEST_CASE("equal values are kept as often as they occur") {
  // A hash of values would keep all <bos> tokens or none.
  token_reservoir reservoir(1, 500, 7);
  for (std::uint64_t i = 0; i < 5000; ++i) {
    const float value = i % 5 == 0 ? 1.0f : 0.0f;
    reservoir.add({i, 0}, &value);
  }
  CHECK(std::abs(token_reservoir::smallest({&reservoir}, 500).sum() - 100.0f) < 5 * std::sqrt(500 * 0.2f * 0.8f));
}

TEST_CASE("errors are named") {
  token_reservoir reservoir(3, 10, 0);
  CHECK(error_of([] { token_reservoir(3, 0, 0); }).code() == luq::errc::invalid_argument);
  CHECK(error_of([&] { reservoir.merge(token_reservoir(2, 10, 0)); }).code() == luq::errc::shape_mismatch);
  CHECK(error_of([&] { reservoir.merge(token_reservoir(3, 11, 0)); }).code() == luq::errc::shape_mismatch);
  CHECK(error_of([&] { reservoir.merge(token_reservoir(3, 10, 1)); }).code() == luq::errc::shape_mismatch);
  add(reservoir, {4, 17});
  add(reservoir, {4, 18});
  const token_reservoir copy = reservoir;
  reservoir.merge(copy);
  const luq::error e = error_of([&] { static_cast<void>(token_reservoir::smallest({&reservoir}, 10)); });
  CHECK(e.code() == luq::errc::invalid_argument);
  CHECK(std::string(e.what()).find("of sequence 4") != std::string::npos);
}
