// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/estimators/kendall_tau.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "luq/core/random.hpp"

using doctest::Approx;
using values = std::vector<double>;

namespace {

double tau(const values& x, const values& y) {
  return luq::kendall_tau(x, y);
}

double distance(const values& x, const values& y) {
  return luq::kendall_distance(x, y);
}

/// The definition, pair by pair.
luq::pair_counts counted_pair_by_pair(const values& x, const values& y) {
  luq::pair_counts result;
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = i + 1; j < x.size(); ++j) {
      const double product = (x[i] - x[j]) * (y[i] - y[j]);
      ++result.pairs;
      result.concordant += product > 0 ? 1 : 0;
      result.discordant += product < 0 ? 1 : 0;
      result.tied_x += x[i] == x[j] ? 1 : 0;
      result.tied_y += y[i] == y[j] ? 1 : 0;
      result.tied_both += x[i] == x[j] && y[i] == y[j] ? 1 : 0;
    }
  }
  return result;
}

values random_scores(luq::index count, std::uint64_t levels, std::uint64_t stream) {
  values result;
  const luq::counter_rng rng(23, stream);
  for (luq::index i = 0; i < count; ++i) {
    result.push_back(static_cast<double>(rng.below(static_cast<std::uint64_t>(i), levels)));
  }
  return result;
}

luq::errc code_of_tau(const values& x, const values& y) {
  try {
    static_cast<void>(tau(x, y));
  } catch (const luq::error& e) {
    return e.code();
  }
  FAIL("no error");
  return {};
}

}  // namespace

TEST_CASE("tau of orders worked by hand") {
  CHECK(tau({1, 2, 3, 4}, {10, 20, 30, 40}) == 1.0);
  CHECK(tau({1, 2, 3, 4}, {4, 3, 2, 1}) == -1.0);
  CHECK(tau({1, 2, 3}, {1, 3, 2}) == Approx(1.0 / 3).epsilon(1e-15));
  CHECK(tau({1, 2}, {5, 3}) == -1.0);
  // C = 2, D = 6, two pairs tied in each: (2 - 6) / sqrt(8 * 9), the example of scipy.stats.kendalltau
  CHECK(tau({12, 2, 1, 12, 2}, {1, 4, 7, 1, 0}) == Approx(-0.47140452079103173).epsilon(1e-14));
}

TEST_CASE("distance of orders worked by hand") {
  CHECK(distance({1, 2, 3, 4}, {10, 20, 30, 40}) == 0.0);
  CHECK(distance({1, 2, 3, 4}, {4, 3, 2, 1}) == 1.0);
  CHECK(distance({1, 2, 3}, {1, 3, 2}) == Approx(1.0 / 3).epsilon(1e-15));
  CHECK(distance({1, 1, 2}, {1, 2, 3}) == Approx(1.0 / 6).epsilon(1e-15));  // one pair tied once counts half
  CHECK(distance({1, 1, 2}, {5, 5, 6}) == 0.0);                             // a pair tied twice agrees
  CHECK(distance({7, 7, 7}, {1, 2, 3}) == 0.5);
}

TEST_CASE("pairs are counted as pair by pair, for every length and any number of ties") {
  for (luq::index count = 2; count <= 70; ++count) {
    for (const std::uint64_t levels : {1u, 2u, 5u, 1000000u}) {
      CAPTURE(count);
      CAPTURE(levels);
      const values x = random_scores(count, levels, static_cast<std::uint64_t>(count));
      const values y = random_scores(count, levels + 1, static_cast<std::uint64_t>(count) + 1000);
      const auto ours = luq::count_pairs(x, y);
      const auto reference = counted_pair_by_pair(x, y);
      REQUIRE(ours.pairs == reference.pairs);
      REQUIRE(ours.concordant == reference.concordant);
      REQUIRE(ours.discordant == reference.discordant);
      REQUIRE(ours.tied_x == reference.tied_x);
      REQUIRE(ours.tied_y == reference.tied_y);
      REQUIRE(ours.tied_both == reference.tied_both);
    }
  }
}

TEST_CASE("tau is symmetric, changes sign with one order, and ignores how items are listed") {
  const values x = random_scores(200, 40, 1);
  const values y = random_scores(200, 40, 2);
  values minus_y;
  for (const double v : y) minus_y.push_back(-v);
  CHECK(tau(x, y) == tau(y, x));
  CHECK(tau(x, minus_y) == -tau(x, y));
  CHECK(std::abs(tau(x, y)) < 0.15);  // unrelated; the standard deviation is 0.047
  CHECK(distance(x, y) == Approx(distance(y, x)).epsilon(1e-15));
  values shuffled_x;
  values shuffled_y;
  for (const luq::index i : luq::random_permutation(200, luq::counter_rng(9))) {
    shuffled_x.push_back(x[static_cast<std::size_t>(i)]);
    shuffled_y.push_back(y[static_cast<std::size_t>(i)]);
  }
  CHECK(tau(shuffled_x, shuffled_y) == tau(x, y));
}

TEST_CASE("without ties the distance is (1 - tau) / 2") {
  const values x = random_scores(100, std::uint64_t{1} << 50, 3);
  const values y = random_scores(100, std::uint64_t{1} << 50, 4);
  CHECK(distance(x, y) == Approx((1 - tau(x, y)) / 2).epsilon(1e-14));
}

TEST_CASE("a hundred thousand items are counted without overflow") {
  const luq::index count = 100000;
  values ascending(static_cast<std::size_t>(count));
  std::iota(ascending.begin(), ascending.end(), 0.0);
  const values descending(ascending.rbegin(), ascending.rend());
  CHECK(luq::count_pairs(ascending, descending).discordant == 4999950000);
  CHECK(tau(ascending, descending) == -1.0);
}

TEST_CASE("infinities are ordered, and errors are named") {
  constexpr double inf = std::numeric_limits<double>::infinity();
  CHECK(tau({-inf, 0, inf}, {1, 2, 3}) == 1.0);
  CHECK(code_of_tau({1, 2, 3}, {1, 2}) == luq::errc::shape_mismatch);
  CHECK(code_of_tau({1}, {1}) == luq::errc::insufficient_data);
  CHECK(code_of_tau({}, {}) == luq::errc::insufficient_data);
  CHECK(code_of_tau({1, 1, 1}, {1, 2, 3}) == luq::errc::insufficient_data);
  CHECK(code_of_tau({1, 2, 3}, {4, 4, 4}) == luq::errc::insufficient_data);
  CHECK(code_of_tau({1, 2, 3}, {1, std::nan(""), 3}) == luq::errc::non_finite);
  CHECK(code_of_tau({std::nan(""), 2, 3}, {1, 2, 3}) == luq::errc::non_finite);
}
