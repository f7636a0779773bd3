// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/estimators/histogram.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>
#include <limits>
#include <vector>

#include "luq/core/random.hpp"

using luq::fixed_histogram;
using luq::growing_histogram;
using values = std::vector<double>;

namespace {

template <class Histogram>
values counts_of(const Histogram& histogram) {
  return {histogram.counts().begin(), histogram.counts().end()};
}

growing_histogram histogram_of(const values& stream, luq::index max_cells) {
  growing_histogram result(max_cells);
  for (const double value : stream) result.add(value);
  return result;
}

bool same_counts(const growing_histogram& a, const growing_histogram& b) {
  return counts_of(a) == counts_of(b) && (a.cells() == 0 || (a.width() == b.width() && a.edge(0) == b.edge(0)));
}

/// The histogram as its definition has it, from all values at once: the finest grid that is coarse enough.
void check_against_definition(const values& stream, const growing_histogram& histogram, luq::index max_cells) {
  int level = -1074;
  for (const double value : stream) {
    if (value != 0) level = std::max(level, std::ilogb(value) - 52);
  }
  const auto cell = [&](double value) {
    const double quotient = std::floor(std::ldexp(value, -level));
    return quotient == 0 && value < 0 ? -1.0 : quotient;
  };
  double first = 0;
  double last = 0;
  for (;; ++level) {
    first = std::numeric_limits<double>::infinity();
    last = -first;
    for (const double value : stream) {
      first = std::min(first, cell(value));
      last = std::max(last, cell(value));
    }
    if (last - first < static_cast<double>(max_cells)) break;
  }
  values counts(static_cast<std::size_t>(last - first) + 1, 0.0);
  for (const double value : stream) counts[static_cast<std::size_t>(cell(value) - first)] += 1;
  CHECK(histogram.width() == std::ldexp(1.0, level));
  CHECK(histogram.edge(0) == std::ldexp(first, level));
  CHECK(counts_of(histogram) == counts);
}

/// Streams of different scale: normal, heavy-tailed, far from zero, integers, of either sign and huge range.
std::vector<values> streams() {
  const luq::counter_rng rng(31);
  std::vector<values> result(6);
  for (std::uint64_t i = 0; i < 400; ++i) {
    const double z = rng.normal(i);
    result[0].push_back(z);
    result[1].push_back(std::exp(5 * z));
    result[2].push_back(1e6 + 1e-3 * z);
    result[3].push_back(std::floor(4 * z));
    result[4].push_back(std::ldexp(z, static_cast<int>(rng.below(i + 5000, 2000)) - 1000));
    result[5].push_back(std::ldexp(std::abs(z), -1060));
  }
  result.push_back({0.0, -0.0, 0.0});
  result.push_back({3.7});
  result.push_back({-std::numeric_limits<double>::denorm_min(), std::numeric_limits<double>::max()});
  result.push_back({std::numeric_limits<double>::max(), std::numeric_limits<double>::lowest(), 1.0});
  return result;
}

template <class Action>
luq::errc code_of(Action&& action) {
  try {
    action();
  } catch (const luq::error& e) {
    return e.code();
  }
  FAIL("no error");
  return {};
}

}  // namespace

TEST_CASE("a fixed histogram counts in half-open bins, the last one closed, and what lies outside") {
  fixed_histogram histogram(0, 10, 5);
  for (const double value : {-1.0, 0.0, 1.9, 2.0, 5.0, 9.99, 10.0, 10.01, 1e300}) histogram.add(value);
  CHECK(counts_of(histogram) == values{2, 1, 1, 0, 2});
  CHECK(histogram.below() == 1);
  CHECK(histogram.above() == 2);
  CHECK(histogram.bins() == 5);
  CHECK(histogram.edge(0) == 0);
  CHECK(histogram.edge(3) == 6);
  CHECK(histogram.edge(5) == 10);
}

TEST_CASE("a fixed histogram places the values at and next to every edge as its edges say") {
  for (const luq::index bins : {1, 3, 7, 49, 1000}) {
    fixed_histogram histogram(-0.7, 1.9, bins);
    for (luq::index i = 0; i <= bins; ++i) {
      CAPTURE(bins);
      CAPTURE(i);
      fixed_histogram at(-0.7, 1.9, bins);
      at.add(at.edge(i));
      REQUIRE(at.counts()[static_cast<std::size_t>(std::min(i, bins - 1))] == 1);
      if (i == 0) continue;
      fixed_histogram before(-0.7, 1.9, bins);
      before.add(std::nextafter(before.edge(i), -1.0));
      REQUIRE(before.counts()[static_cast<std::size_t>(i - 1)] == 1);
    }
  }
}

TEST_CASE("a fixed histogram adds weights and merges") {
  fixed_histogram left(0, 1, 2);
  fixed_histogram right(0, 1, 2);
  left.add(0.1, 0.5);
  left.add(-1, 4);
  right.add(0.2, 2);
  right.add(0.9, 3);
  right.add(2, 8);
  left.merge(right);
  CHECK(counts_of(left) == values{2.5, 3});
  CHECK(left.below() == 4);
  CHECK(left.above() == 8);
}

TEST_CASE("a growing histogram doubles its cells when a value needs it") {
  growing_histogram histogram(4);
  CHECK(histogram.cells() == 0);
  for (const double value : {0.0, 1.0, 2.0, 3.0}) histogram.add(value);
  CHECK(histogram.width() == 1);
  CHECK(counts_of(histogram) == values{1, 1, 1, 1});
  histogram.add(5.5);
  CHECK(histogram.width() == 2);
  CHECK(histogram.edge(0) == 0);
  CHECK(histogram.edge(3) == 6);
  CHECK(counts_of(histogram) == values{2, 2, 1});
  histogram.add(-0.001, 0.25);
  CHECK(counts_of(histogram) == values{0.25, 2, 2, 1});
  histogram.add(-2.5);
  CHECK(histogram.width() == 4);
  CHECK(counts_of(histogram) == values{1.25, 4, 1});
}

TEST_CASE("a growing histogram is what its definition says, for streams of every scale") {
  for (const values& stream : streams()) {
    for (const luq::index max_cells : {2, 3, 8, 100, 1000}) {
      CAPTURE(stream[0]);
      CAPTURE(max_cells);
      check_against_definition(stream, histogram_of(stream, max_cells), max_cells);
    }
  }
}

TEST_CASE("any order and any split of a stream give the same growing histogram") {
  std::uint64_t draw = 0;
  for (const values& stream : streams()) {
    const auto size = static_cast<luq::index>(stream.size());
    for (const luq::index max_cells : {2, 5, 64}) {
      const growing_histogram whole = histogram_of(stream, max_cells);
      for (int repeat = 0; repeat < 5; ++repeat) {
        CAPTURE(stream[0]);
        CAPTURE(max_cells);
        const luq::counter_rng rng(37, ++draw);
        std::vector<growing_histogram> parts(4, growing_histogram(max_cells));
        for (const luq::index i : luq::random_permutation(size, rng)) {
          parts[rng.below(static_cast<std::uint64_t>(size + i), 4)].add(stream[static_cast<std::size_t>(i)]);
        }
        growing_histogram left = parts[0];
        left.merge(parts[1]);
        growing_histogram right = parts[3];
        right.merge(parts[2]);
        left.merge(right);
        REQUIRE(same_counts(left, whole));
      }
    }
  }
}

TEST_CASE("merging an empty histogram changes nothing, merging into one copies") {
  const growing_histogram some = histogram_of({1, 2, 30}, 8);
  growing_histogram left = some;
  left.merge(growing_histogram(8));
  CHECK(same_counts(left, some));
  growing_histogram empty(8);
  empty.merge(some);
  CHECK(same_counts(empty, some));
  left.merge(left);
  CHECK(left.width() == some.width());
  CHECK(left.counts()[0] == 2 * some.counts()[0]);
}

TEST_CASE("a weight of zero does not count and does not widen the range") {
  growing_histogram histogram = histogram_of({1, 2}, 4);
  const double width = histogram.width();
  histogram.add(1e9, 0);
  CHECK(histogram.width() == width);
  CHECK(counts_of(histogram) == counts_of(histogram_of({1, 2}, 4)));
}

TEST_CASE("errors are named, and leave the histogram as it was") {
  constexpr double inf = std::numeric_limits<double>::infinity();
  const double nan = std::nan("");
  growing_histogram growing = histogram_of({1, 2}, 4);
  fixed_histogram fixed(0, 1, 2);
  for (const double value : {inf, -inf, nan}) {
    CHECK(code_of([&] { growing.add(value); }) == luq::errc::non_finite);
    CHECK(code_of([&] { fixed.add(value); }) == luq::errc::non_finite);
    CHECK(code_of([&] { growing.add(0, value); }) == luq::errc::invalid_argument);
    CHECK(code_of([&] { fixed.add(0, value); }) == luq::errc::invalid_argument);
  }
  CHECK(code_of([&] { growing.add(1, -1); }) == luq::errc::invalid_argument);
  CHECK(same_counts(growing, histogram_of({1, 2}, 4)));
  CHECK(counts_of(fixed) == values{0, 0});
  CHECK(code_of([&] { growing.merge(growing_histogram(5)); }) == luq::errc::shape_mismatch);
  CHECK(code_of([&] { fixed.merge(fixed_histogram(0, 1, 3)); }) == luq::errc::shape_mismatch);
  CHECK(code_of([&] { fixed.merge(fixed_histogram(0, 2, 2)); }) == luq::errc::shape_mismatch);
  CHECK(code_of([] { growing_histogram(1); }) == luq::errc::invalid_argument);
  CHECK(code_of([] { fixed_histogram(1, 1, 2); }) == luq::errc::invalid_argument);
  CHECK(code_of([] { fixed_histogram(0, 1, 0); }) == luq::errc::invalid_argument);
  CHECK(code_of([] { fixed_histogram(0, std::nan(""), 2); }) == luq::errc::invalid_argument);
  CHECK(code_of([] { fixed_histogram(-1.7e308, 1.7e308, 2); }) == luq::errc::invalid_argument);
}
