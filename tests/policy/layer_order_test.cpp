// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/policy/layer_order.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "io/io_test_support.hpp"
#include "luq/core/random.hpp"

using luq::errc;
using luq::layer_order;
using luq_test::check_fails;

TEST_CASE("depth order") {
  CHECK(luq::depth_order(0).empty());
  CHECK(luq::depth_order(4) == layer_order{0, 1, 2, 3});
}

TEST_CASE("lowest entropy first, and its reverse") {
  const std::vector<double> entropies{6.51, 6.40, 6.55, 6.45};
  CHECK(luq::lowest_entropy_first(entropies) == layer_order{1, 3, 0, 2});
  CHECK(luq::highest_entropy_first(entropies) == layer_order{2, 0, 3, 1});
  CHECK(luq::lowest_entropy_first({}).empty());
}

TEST_CASE("ties go by depth, and backwards in the reverse order") {
  const std::vector<double> scores{2, 1, 2, 1, 2, -0.0, 0.0};
  CHECK(luq::lowest_score_first(scores) == layer_order{5, 6, 1, 3, 0, 2, 4});
  CHECK(luq::highest_entropy_first(scores) == layer_order{4, 2, 0, 3, 1, 6, 5});
}

TEST_CASE("a score that is no number is refused, by name of its layer") {
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
                           -std::numeric_limits<double>::infinity()}) {
    const std::vector<double> scores{1, 2, bad};
    check_fails(errc::non_finite, "score of layer 2", [&] { (void)luq::lowest_entropy_first(scores); });
    check_fails(errc::non_finite, "score of layer 2", [&] { (void)luq::highest_entropy_first(scores); });
  }
}

TEST_CASE("every order is a permutation, sorted by its scores") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const luq::counter_rng rng(seed);
    const auto layers = static_cast<luq::index>(rng.below(0, 40));
    std::vector<double> scores;
    for (luq::index l = 0; l < layers; ++l)
      scores.push_back(std::floor(8 * rng.uniform(1 + static_cast<std::uint64_t>(l))));
    const layer_order order = luq::lowest_score_first(scores);
    for (std::size_t i = 1; i < order.size(); ++i) {
      const double before = scores[static_cast<std::size_t>(order[i - 1])];
      const double here = scores[static_cast<std::size_t>(order[i])];
      CHECK((before < here || (before == here && order[i - 1] < order[i])));
    }
    for (layer_order any : {order, luq::highest_entropy_first(scores), luq::random_order(layers, seed)}) {
      std::sort(any.begin(), any.end());
      CHECK(any == luq::depth_order(layers));
    }
  }
}

TEST_CASE("random orders are frozen by their seed") {
  CHECK(luq::random_order(12, 7) == luq::random_order(12, 7));
  std::set<layer_order> distinct;
  for (std::uint64_t seed = 0; seed < 100; ++seed) distinct.insert(luq::random_order(12, seed));
  CHECK(distinct.size() == 100);  // of 12! orders; a collision has a chance of 1e-5
  CHECK(luq::random_order(12, 0) == layer_order{11, 7, 9, 2, 6, 4, 10, 5, 1, 8, 0, 3});
}

TEST_CASE("random orders put every layer first equally often") {
  std::vector<int> first(5, 0);
  for (std::uint64_t seed = 0; seed < 5000; ++seed) ++first[static_cast<std::size_t>(luq::random_order(5, seed)[0])];
  for (const int count : first) CHECK(std::abs(count - 1000) < 150);  // 5 standard deviations are 141
}
