// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/policy/prefix_scan.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <map>

#include "foreign_locale.hpp"
#include "io/io_test_support.hpp"
#include "policy/random_model.hpp"

using luq::errc;
using luq_test::check_fails;

namespace {

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();

/// Four equal layers of 64 x 128: 1152 bytes low, 4224 high; totals 16896, 13824, 10752, 7680, 4608.
luq::prefix_policy four_layers() {
  luq::model_shape shape;
  for (const char* name : {"a", "b", "c", "d"}) shape.push_back({{name, 64, 128}});
  return {shape, {2, 0, 3, 1}, luq::sign_codec{}, luq::int_codec<4>{.symmetric = true}, "by lot"};
}

/// A scan in which k low layers have quality qualities[k].
std::vector<luq::scan_point> scan_with(const luq::prefix_policy& policy, const std::vector<double>& qualities) {
  std::size_t next = 0;
  return luq::scan_prefixes(policy, [&](const luq::plan&) { return qualities[next++]; });
}

class recording_observer : public luq::progress_observer {
 public:
  void begin(std::string_view task, std::uint64_t units) override {
    log += std::string(task) + " " + std::to_string(units) + ":";
  }
  void advance(std::uint64_t units) override { log += std::string(units, '.'); }
  void end() override { log += "end"; }

  std::string log;
};

}  // namespace

TEST_CASE("prefixes move layers in the given order") {
  const luq::prefix_policy policy = four_layers();
  const luq::recipe low = policy.low;
  const luq::recipe high = policy.high;
  CHECK(luq::prefix_plan(policy, 0).recipes == std::vector{high, high, high, high});
  CHECK(luq::prefix_plan(policy, 1).recipes == std::vector{high, high, low, high});
  CHECK(luq::prefix_plan(policy, 2).recipes == std::vector{low, high, low, high});
  CHECK(luq::prefix_plan(policy, 3).recipes == std::vector{low, high, low, low});
  CHECK(luq::prefix_plan(policy, 4).recipes == std::vector{low, low, low, low});
  CHECK(luq::prefix_plan(policy, 3).reason == "by lot, 3 of 4 layers low");
  CHECK(luq::prefix_plan(policy, 3).shape == policy.shape);
}

TEST_CASE("policies that make no sense") {
  for (const luq::layer_order& order :
       {luq::layer_order{}, luq::layer_order{0, 1, 2}, luq::layer_order{0, 1, 2, 2}, luq::layer_order{1, 2, 3, 4},
        luq::layer_order{-1, 0, 1, 2}, luq::layer_order{0, 1, 2, 3, 4}}) {
    luq::prefix_policy policy = four_layers();
    policy.order = order;
    const auto check_refused = [](auto&& action) {
      check_fails(errc::invalid_argument, "layer order: expected a permutation of 0 ... 3", action);
    };
    check_refused([&] { (void)luq::prefix_plan(policy, 0); });
    check_refused([&] { (void)luq::plan_within_bytes(policy, 1000000); });
    check_refused([&] { (void)luq::plan_within_bits(policy, 16); });
    check_refused([&] { (void)luq::scan_prefixes(policy, [](const luq::plan&) { return 0.0; }); });
  }
  for (const luq::index k : {-1, 5}) {
    check_fails(errc::invalid_argument, "low layers: expected 0 ... 4, got",
                [&] { (void)luq::prefix_plan(four_layers(), k); });
  }
  check_fails(errc::invalid_argument, "expected at least one linear", [] { (void)luq::prefix_plan({}, 0); });
}

TEST_CASE("a scan evaluates every prefix once, in order") {
  const luq::prefix_policy policy = four_layers();
  std::vector<luq::plan> seen;
  recording_observer observer;
  const auto points = luq::scan_prefixes(
      policy,
      [&](const luq::plan& p) {
        seen.push_back(p);
        return -static_cast<double>(luq::total_bytes(p));
      },
      &observer);
  REQUIRE(points.size() == 5);
  REQUIRE(seen.size() == 5);
  for (std::size_t k = 0; k < 5; ++k) {
    CHECK(points[k].low_layers == static_cast<luq::index>(k));
    CHECK(points[k].choice == luq::prefix_plan(policy, static_cast<luq::index>(k)));
    CHECK(points[k].choice == seen[k]);
    CHECK(points[k].quality == -16896.0 + 3072.0 * static_cast<double>(k));
  }
  CHECK(observer.log == "plans 5:.....end");
}

TEST_CASE("a scan stops at a quality that is no number, and lets the callback's errors through") {
  recording_observer observer;
  int calls = 0;
  check_fails(errc::non_finite, "quality of by lot, 2 of 4 layers low", [&] {
    (void)luq::scan_prefixes(
        four_layers(), [&](const luq::plan&) { return ++calls == 3 ? nan_value : 1.0; }, &observer);
  });
  CHECK(calls == 3);
  CHECK(observer.log == "plans 5:..end");
  check_fails(errc::insufficient_data, "no questions", [] {
    (void)luq::scan_prefixes(four_layers(),
                             [](const luq::plan&) -> double { luq::fail(errc::insufficient_data, "no questions"); });
  });
}

TEST_CASE("budgets of bytes take the fewest low layers that fit") {
  const luq::prefix_policy policy = four_layers();
  const std::map<luq::index, luq::index> low_layers_of_budget{{1000000, 0}, {16896, 0}, {16895, 1}, {13824, 1},
                                                              {13823, 2},   {7680, 3},  {7679, 4},  {4608, 4}};
  for (const auto& entry : low_layers_of_budget) {
    const luq::index budget = entry.first;
    const luq::index k = entry.second;
    CAPTURE(budget);
    const luq::plan p = luq::plan_within_bytes(policy, budget);
    CHECK(p.recipes == luq::prefix_plan(policy, k).recipes);
    CHECK(p.reason == "by lot, " + std::to_string(k) + " of 4 layers low, the fewest for at most " +
                          std::to_string(budget) + " bytes");
  }
}

TEST_CASE("budgets of bits are budgets of bytes over weights") {
  const luq::prefix_policy policy = four_layers();
  CHECK(luq::plan_within_bits(policy, 4.125).recipes == luq::prefix_plan(policy, 0).recipes);
  CHECK(luq::plan_within_bits(policy, 4.124).recipes == luq::prefix_plan(policy, 1).recipes);
  CHECK(luq::plan_within_bits(policy, 2.625).recipes == luq::prefix_plan(policy, 2).recipes);
  CHECK(luq::plan_within_bits(policy, 1.125).recipes == luq::prefix_plan(policy, 4).recipes);
  CHECK(luq::plan_within_bits(policy, 3).reason == "by lot, 2 of 4 layers low, the fewest for at most 3 bits a weight");
}

TEST_CASE("an impossible budget names the smallest possible one") {
  const luq::prefix_policy policy = four_layers();
  for (const luq::index budget : {luq::index{4607}, luq::index{0}, luq::index{-1}}) {
    check_fails(errc::impossible_budget,
                "bytes: the smallest possible with sign:g128 and int4:g128:sym is 4608 bytes, 1.125 bits a weight",
                [&] { (void)luq::plan_within_bytes(policy, budget); });
  }
  check_fails(errc::impossible_budget, "budget of 1.1 bits a weight: the smallest possible",
              [&] { (void)luq::plan_within_bits(policy, 1.1); });
  check_fails(errc::invalid_argument, "expected a number", [&] { (void)luq::plan_within_bits(policy, nan_value); });
}

TEST_CASE("the smallest budget that the message names is itself possible") {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const luq::model_shape shape = luq_test::random_model(seed);
    const auto layers = static_cast<luq::index>(shape.size());
    const luq::prefix_policy policy{shape, luq::depth_order(layers), luq::sign_codec{}, luq::int_codec<4>{}};
    try {
      (void)luq::plan_within_bits(policy, 0.5);
      FAIL("0.5 bits a weight are impossible");
    } catch (const luq::error& failure) {
      const std::string message = failure.what();
      CAPTURE(message);
      const double named_bits = std::stod(message.substr(message.find(" bytes, ") + 8));
      const luq::index named_bytes = std::stoll(message.substr(message.find(" is ") + 4));
      CHECK_NOTHROW((void)luq::plan_within_bits(policy, named_bits));
      CHECK_NOTHROW((void)luq::plan_within_bytes(policy, named_bytes));
      CHECK_THROWS_AS((void)luq::plan_within_bytes(policy, named_bytes - 1), luq::error);
    }
  }
}

TEST_CASE("a low codec that is the larger one does not lead astray") {
  luq::prefix_policy policy = four_layers();
  std::swap(policy.low, policy.high);
  CHECK(luq::plan_within_bytes(policy, 4608).recipes == luq::prefix_plan(policy, 0).recipes);
  check_fails(errc::impossible_budget, "is 4608 bytes", [&] { (void)luq::plan_within_bytes(policy, 4607); });
  const auto points = scan_with(policy, {0.9, 0.9, 0.9, 0.9, 0.9});
  CHECK(luq::smallest_with_quality(points, 0.9).low_layers == 0);
}

TEST_CASE("a quality budget takes the largest sufficient k, though quality is not monotone") {
  const luq::prefix_policy policy = four_layers();
  const auto points = scan_with(policy, {0.90, 0.80, 0.86, 0.85, 0.20});
  const luq::scan_point best = luq::smallest_with_quality(points, 0.85);  // a bisection would see 0.86, 0.85, 0.20
  CHECK(best.low_layers == 3);
  CHECK(best.quality == 0.85);
  CHECK(best.choice.recipes == luq::prefix_plan(policy, 3).recipes);
  CHECK(best.choice.reason == "by lot, 3 of 4 layers low, the smallest with a quality of at least 0.85");
  CHECK(luq::smallest_with_quality(points, 0.86).low_layers == 2);  // and stop at k = 1 from the left
  CHECK(luq::smallest_with_quality(points, 0.87).low_layers == 0);
  CHECK(luq::smallest_with_quality(points, -1).low_layers == 4);
}

TEST_CASE("an impossible quality names the best one found") {
  const auto points = scan_with(four_layers(), {0.5, 0.75, 0.5, 0.25, 0});
  check_fails(errc::impossible_budget, "quality of at least 0.8: the best of 5 plans has 0.75",
              [&] { (void)luq::smallest_with_quality(points, 0.8); });
  check_fails(errc::impossible_budget, "the best of 0 plans", [] { (void)luq::smallest_with_quality({}, 0.0); });
  check_fails(errc::invalid_argument, "expected a number",
              [&] { (void)luq::smallest_with_quality(points, nan_value); });
}

TEST_CASE("plans of equal size are chosen by quality, then by fewer low layers") {
  luq::prefix_policy policy = four_layers();
  policy.low = policy.high;
  CHECK(luq::smallest_with_quality(scan_with(policy, {0.5, 0.6, 0.9, 0.9, 0.7}), 0.5).low_layers == 2);
}

TEST_CASE("every budget's plan agrees with a search by hand") {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    CAPTURE(seed);
    const luq::model_shape shape = luq_test::random_model(seed);
    const auto layers = static_cast<luq::index>(shape.size());
    const luq::prefix_policy policy{shape, luq::random_order(layers, seed), luq_test::random_codec(seed, 100),
                                    luq_test::random_codec(seed, 101)};
    const luq::counter_rng rng(seed, 3);
    const auto points =
        luq::scan_prefixes(policy, [&, k = std::uint64_t{0}](const luq::plan&) mutable { return rng.uniform(k++); });
    for (const luq::scan_point& point : points) {
      const luq::index bytes = luq::total_bytes(point.choice);
      luq::index expected = 0;
      while (luq::total_bytes(points[static_cast<std::size_t>(expected)].choice) > bytes) ++expected;
      CHECK(luq::plan_within_bytes(policy, bytes).recipes == luq::prefix_plan(policy, expected).recipes);
      CHECK(luq::plan_within_bits(policy, luq::average_bits(point.choice)).recipes ==
            luq::prefix_plan(policy, expected).recipes);

      const luq::scan_point chosen = luq::smallest_with_quality(points, point.quality);
      CHECK(chosen.quality >= point.quality);
      for (const luq::scan_point& other : points) {
        if (other.quality >= point.quality) {
          CHECK(luq::total_bytes(chosen.choice) <= luq::total_bytes(other.choice));
        }
      }
    }
  }
}

TEST_CASE("reasons do not depend on the locale") {
  const luq::prefix_policy policy = four_layers();
  const auto points = scan_with(policy, {0.9, 0.875, 0.8, 0.7, 0.6});
  const luq_test::foreign_locale locale;
  CHECK(luq::plan_within_bits(policy, 3.5).reason ==
        "by lot, 1 of 4 layers low, the fewest for at most 3.5 bits a weight");
  CHECK(luq::plan_within_bits(policy, 1234.5).reason ==
        "by lot, 0 of 4 layers low, the fewest for at most 1234.5 bits a weight");
  CHECK(luq::plan_within_bytes(policy, 16896).reason ==
        "by lot, 0 of 4 layers low, the fewest for at most 16896 bytes");
  CHECK(luq::smallest_with_quality(points, 0.875).choice.reason ==
        "by lot, 1 of 4 layers low, the smallest with a quality of at least 0.875");
}
