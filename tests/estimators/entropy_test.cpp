// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/estimators/entropy.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "luq/core/random.hpp"

using doctest::Approx;
using luq::miller_madow_entropy;
using luq::plug_in_entropy;

namespace {

double plug_in(const std::vector<double>& counts) {
  return plug_in_entropy(counts);
}

double miller_madow(const std::vector<double>& counts) {
  return miller_madow_entropy(counts);
}

}  // namespace

TEST_CASE("plug-in entropy of distributions worked by hand") {
  CHECK(plug_in({1, 1}) == 1.0);
  CHECK(plug_in({3, 3, 3, 3}) == 2.0);
  CHECK(plug_in({4, 2, 1, 1}) == 1.75);
  CHECK(plug_in({1, 3}) == Approx(2 - 0.75 * std::log2(3.0)).epsilon(1e-14));
  CHECK(plug_in({5, 2, 1}) == Approx(1.298794940695398).epsilon(1e-14));
  CHECK(plug_in(std::vector<double>(100, 7.0)) == Approx(std::log2(100.0)).epsilon(1e-14));
}

TEST_CASE("empty cells add nothing, one full cell has entropy zero, and no count at all has entropy zero") {
  CHECK(plug_in({1, 0, 1, 0, 0}) == 1.0);
  CHECK(plug_in({0, 9, 0}) == 0.0);
  CHECK_FALSE(std::signbit(plug_in({0, 9, 0})));
  CHECK(plug_in({0, 0}) == 0.0);
  CHECK(plug_in({}) == 0.0);
  CHECK(miller_madow({0, 0}) == 0.0);
  CHECK(miller_madow({0, 9, 0}) == 0.0);
}

TEST_CASE("plug-in entropy does not depend on the scale of weights or the order of cells") {
  CHECK(plug_in({0.25, 0.5, 0.125, 0.125}) == 1.75);
  CHECK(plug_in({1, 4, 1, 2}) == 1.75);
}

TEST_CASE("Miller-Madow adds (K' - 1) / (2 N ln 2) with K' the occupied cells") {
  CHECK(miller_madow({2, 2}) == Approx(1.1803368801111204).epsilon(1e-14));
  CHECK(miller_madow({2, 0, 2, 0}) == Approx(1.1803368801111204).epsilon(1e-14));
  CHECK(miller_madow({5, 2, 1}) == Approx(1.298794940695398 + 2 / (16 * std::log(2.0))).epsilon(1e-14));
}

TEST_CASE("Miller-Madow removes most of the bias of the plug-in estimate") {
  const std::vector<double> share{0.3, 0.25, 0.15, 0.1, 0.1, 0.06, 0.04};
  const double truth = plug_in(share);
  constexpr int samples = 2000;
  constexpr int draws = 60;
  double plug_in_mean = 0;
  double corrected_mean = 0;
  for (int s = 0; s < samples; ++s) {
    const luq::counter_rng rng(3, static_cast<std::uint64_t>(s));
    std::vector<double> counts(share.size(), 0.0);
    for (int i = 0; i < draws; ++i) {
      double rest = rng.uniform(static_cast<std::uint64_t>(i));
      std::size_t k = 0;
      while (k + 1 < share.size() && rest >= share[k]) rest -= share[k++];
      ++counts[k];
    }
    plug_in_mean += plug_in(counts) / samples;
    corrected_mean += miller_madow(counts) / samples;
  }
  const double bias = 6 / (2 * draws * std::log(2.0));
  CHECK(truth - plug_in_mean == Approx(bias).epsilon(0.15));
  CHECK(std::abs(truth - corrected_mean) < 0.15 * bias);
}
