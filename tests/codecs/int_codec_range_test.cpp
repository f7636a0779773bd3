// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// How the range of a group is chosen, and what error it leaves.
#include "luq/codecs/int_codec.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "codec_test_support.hpp"
#include "int_codec_list.hpp"

using luq::basic_int_codec;
using luq::int_codec;
using luq::int_range;
using luq::matrix;
using luq_test::for_each_int_codec;

namespace {

/// Parameters of the only row of a matrix.
template <class Codec>
std::array<float, 2> fitted(const Codec& codec, const std::vector<float>& w,
                            const std::vector<float>& importance = {}) {
  const luq::group_parameters group =
      luq::fit_group(codec, luq::view(w.data(), 1, static_cast<luq::index>(w.size())), importance);
  return {group.values(0, 0), group.values(0, 1)};
}

/// sum h |w - q|^2.4 of a row coded with the given parameters, in double.
template <class Codec>
double range_error(const Codec& codec, const std::vector<float>& w, const std::vector<float>& importance,
                   const std::array<float, 2>& parameters) {
  double error = 0;
  for (std::size_t j = 0; j < w.size(); ++j) {
    const float q = luq::decode_weight(codec, codec.encode(w[j], parameters.data(), 0), parameters.data(), 0);
    const double h = importance.empty() ? 1.0 : static_cast<double>(importance[j]);
    error += h * std::pow(std::abs(static_cast<double>(q) - static_cast<double>(w[j])), 2.4);
  }
  return error;
}

/// Normal weights, every fourth row with an outlier that a good range cuts off.
std::vector<float> trial_row(std::uint64_t seed) {
  const matrix W = luq::random_normal_matrix(1, 64, luq::counter_rng(seed, 9));
  std::vector<float> w(W.data(), W.data() + W.size());
  if (seed % 4 == 0) w[10] *= 20;
  return w;
}

}  // namespace

TEST_CASE("ranges worked by hand") {
  using pair = std::array<float, 2>;  // { scale, zero }
  CHECK(fitted(int_codec<2>{}, {-1, 2, 0.5f}) == pair{1, 1});
  CHECK(fitted(int_codec<2>{}, {1, 3}) == pair{1, 0});    // extended down to 0
  CHECK(fitted(int_codec<2>{}, {-3, -1}) == pair{1, 3});  // extended up to 0
  CHECK(fitted(int_codec<2>{}, {-1, 3.5f}) == pair{1.5f, 1});
  CHECK(fitted(int_codec<4>{}, {-0.5f, 0.5f, 1}) == pair{static_cast<float>(luq::half(0.1f)), 5});
  CHECK(fitted(basic_int_codec<4, float>{}, {-0.5f, 0.5f, 1}) == pair{0.1f, 5});
  CHECK(fitted(int_codec<8>{}, {0, 0}) == pair{0, 128});  // zeros have no unit to take a scale in
  const int_codec<2> symmetric{.symmetric = true};
  CHECK(fitted(symmetric, {-1, 3}) == pair{2, 2});
  CHECK(fitted(symmetric, {-3, 1}) == pair{2, 2});
  CHECK(fitted(symmetric, {1, 3}) == pair{2, 2});
  CHECK(fitted(symmetric, {0, 0}) == pair{0, 2});
  CHECK(fitted(int_codec<3>{.range = int_range::searched}, {0, 0}) == pair{0, 4});
}

TEST_CASE("the published one-sided range: a symmetric group without a negative weight is clipped") {
  using pair = std::array<float, 2>;
  const int_codec<4> published{.symmetric = true, .published_one_sided_range = true};
  CHECK(fitted(published, {1, 15}) == pair{1, 8});  // values end at 15 - 8 = 7
  CHECK(fitted(published, {0, 15}) == pair{1, 8});
  CHECK(fitted(int_codec<4>{.symmetric = true}, {1, 15}) == pair{2, 8});
  CHECK(fitted(published, {-1, 15}) == pair{2, 8});
  CHECK(fitted(published, {-15, -1}) == pair{2, 8});
  CHECK(fitted(published, {0, 0}) == fitted(int_codec<4>{.symmetric = true}, {0, 0}));
  CHECK(fitted(int_codec<4>{.published_one_sided_range = true}, {1, 15}) == fitted(int_codec<4>{}, {1, 15}));
}

TEST_CASE("no weight is farther than half a step from its value, and zero is exact") {
  for_each_int_codec({}, [](const auto& codec, unsigned bits) {
    CAPTURE(luq::codec_name(codec));
    // A rounded fp16 scale ends its 2^bits - 1 steps a little early; a symmetric range lacks half a step at one end.
    const double step_share =
        0.5 + (luq::codec_name(codec).ends_with(":f32") ? 1e-4 : std::ldexp(1.0, static_cast<int>(bits) - 11));
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      const std::vector<float> w = trial_row(seed);
      const auto parameters = fitted(codec, w);
      int wrong = 0;
      for (const float x : w) {
        const float q = luq::decode_weight(codec, codec.encode(x, parameters.data(), 0), parameters.data(), 0);
        wrong += std::abs(static_cast<double>(q - x)) > step_share * static_cast<double>(parameters[0]);
      }
      CHECK(wrong == 0);
      CHECK(luq::decode_weight(codec, codec.encode(0.0f, parameters.data(), 0), parameters.data(), 0) == 0.0f);
    }
  });
}

TEST_CASE("the searched range is the best of its 80 and never worse than minmax, plain or weighted") {
  for_each_int_codec({.range = int_range::searched}, [](const auto& codec, unsigned bits) {
    CAPTURE(luq::codec_name(codec));
    auto minmax = codec;
    minmax.range = int_range::minmax;
    double searched_sum = 0;
    double minmax_sum = 0;
    for (std::uint64_t seed = 0; seed < 24; ++seed) {
      CAPTURE(seed);
      const std::vector<float> w = trial_row(seed);
      const std::vector<float> importance =
          seed % 2 == 0 ? std::vector<float>{} : luq_test::random_importance(64, seed);
      const double found = range_error(codec, w, importance, fitted(codec, w, importance));
      // Each of the 80 ranges is the minmax range of a row that holds only its two ends.
      const auto [low, high] = std::minmax_element(w.begin(), w.end());
      double best = std::numeric_limits<double>::infinity();
      for (int i = 0; i < 80; ++i) {
        const auto shrink = static_cast<float>(1.0 - i / 100.0);
        const float least = std::min(*low, 0.0f);
        const float most = std::max(*high, 0.0f);
        best = std::min(best, range_error(codec, w, importance, fitted(minmax, {shrink * least, shrink * most})));
      }
      // The search works in float: of two ranges equal to within rounding, which weighs more the smaller a step is
      // than the weights, it may take either.
      const double rounding = std::ldexp(1e-6, static_cast<int>(bits));
      CHECK(found <= best * (1 + rounding));
      CHECK(found >= best * (1 - rounding));
      const double unsearched = range_error(codec, w, importance, fitted(minmax, w));
      CHECK(found <= unsearched * (1 + rounding));
      searched_sum += found;
      minmax_sum += unsearched;
    }
    if (bits <= 3) CHECK(searched_sum < 0.9 * minmax_sum);
  });
}

TEST_CASE("weights without importance do not widen the searched range") {
  std::vector<float> w = trial_row(1);
  w[5] = 4 * std::abs(*std::max_element(w.begin(), w.end()));
  std::vector<float> importance(w.size(), 1.0f);
  const int_codec<4> codec{.symmetric = true, .range = int_range::searched};
  const auto plain = fitted(codec, w, importance);
  importance[5] = 0;
  CHECK(fitted(codec, w, importance)[0] < 0.5f * plain[0]);
  CHECK(plain == fitted(codec, w));
  CHECK(plain == fitted(codec, w, std::vector<float>(w.size(), 0.0f)));
  importance[5] = 1000;
  CHECK(fitted(codec, w, importance)[0] > 0.9f * fitted(int_codec<4>{.symmetric = true}, w)[0]);
  CHECK(fitted(int_codec<4>{}, w, importance) == fitted(int_codec<4>{}, w));  // minmax has no use for importance
}

TEST_CASE("the largest fp16 scale is fitted, the next is bad data") {
  const int_codec<4> codec;
  CHECK(fitted(codec, {-65519.0f * 5, 65519.0f * 10})[0] == 65504.0f);
  luq_test::check_fails(luq::errc::non_finite, "65520", [&] { (void)fitted(codec, {-65520.0f * 5, 65520.0f * 10}); });
  luq_test::check_fails(luq::errc::non_finite, "16-bit", [&] { (void)fitted(codec, {1e30f, -1e30f}); });
  luq_test::check_fails(luq::errc::non_finite, "32-bit", [] {  // the width of the range overflows
    (void)fitted(basic_int_codec<4, float>{}, {3e38f, -3e38f});
  });
}

TEST_CASE("groups without anything to fit") {
  for_each_int_codec({}, [](const auto& codec, unsigned bits) {
    const float rounding = luq::codec_name(codec).ends_with(":f32") ? 0x1p-21f : 0x1p-10f;
    const float half_step = codec.symmetric ? 1 / static_cast<float>((1 << bits) - 1) : 0;
    luq_test::check_degenerate_groups(codec, half_step + rounding);
  });
  for_each_int_codec({.range = int_range::searched}, [](const auto& codec, unsigned bits) {
    luq_test::check_degenerate_groups(codec, 1 / static_cast<float>((1 << bits) - 1) + 0x1p-10f);
  });
}

TEST_CASE("a scale that underflows leaves zeros") {
  const std::vector<float> w{1e-9f, -1e-9f, 0};
  for (const bool symmetric : {false, true}) {
    const int_codec<4> codec{.symmetric = symmetric};
    const auto parameters = fitted(codec, w);
    CHECK(parameters[0] == 0);
    for (const float x : w) {
      const luq::code q = codec.encode(x, parameters.data(), 0);
      CHECK(static_cast<float>(q) == parameters[1]);
      CHECK(luq::decode_weight(codec, q, parameters.data(), 0) == 0);
    }
    const auto kept = fitted(basic_int_codec<4, float>{.symmetric = symmetric}, w);
    CHECK(kept[0] > 0);
  }
}

TEST_CASE("the error on normal weights is the one expected, and falls with every bit") {
  // From an independent simulation of 20 000 groups of 128 normal weights with exact scales.
  struct row {
    bool symmetric;
    int_range range;
    std::array<double, 4> expected;  // 2, 3, 4, 8 bits
  };
  const std::array<row, 4> table{{{false, int_range::minmax, {0.25351, 0.046451, 0.010115, 3.5e-5}},
                                  {true, int_range::minmax, {0.30132, 0.056208, 0.012285, 4.2e-5}},
                                  {false, int_range::searched, {0.13742, 0.035094, 0.009055, 3.5e-5}},
                                  {true, int_range::searched, {0.14768, 0.038899, 0.010285, 4.2e-5}}}};
  for (const row& r : table) {
    CAPTURE(r.symmetric);
    CAPTURE(static_cast<int>(r.range));
    const auto error = [&](auto codec) {
      codec.symmetric = r.symmetric;
      codec.range = r.range;
      return luq_test::error_on_normal_weights(codec, 32, 2048);
    };
    const std::array<double, 4> errors{error(int_codec<2>{}), error(int_codec<3>{}), error(int_codec<4>{}),
                                       error(int_codec<8>{})};
    for (std::size_t i = 0; i < errors.size(); ++i) {
      CHECK(errors[i] > 0.96 * r.expected[i]);
      CHECK(errors[i] < 1.04 * r.expected[i]);
      if (i > 0) CHECK(errors[i] < 0.3 * errors[i - 1]);
    }
  }
}

TEST_CASE("the range of weights in another unit is that range in their unit, to the bit, also far from 1") {
  for (const int_range range : {int_range::minmax, int_range::searched}) {
    for_each_int_codec({.range = range}, [&](const auto& codec, unsigned) {
      CAPTURE(luq::codec_name(codec));
      const bool in_float = luq::codec_name(codec).ends_with(":f32");
      for (const float s : {in_float ? 0x1p-60f : 0x1p-3f, in_float ? 0x1p30f : 0x1p3f, 0x1p-1f}) {
        CAPTURE(s);
        for (std::uint64_t seed = 0; seed < 20; ++seed) {
          CAPTURE(seed);
          const std::vector<float> w = trial_row(seed);
          std::vector<float> in_other_unit;
          for (const float x : w) in_other_unit.push_back(s * x);
          const auto expected = fitted(codec, w);
          CHECK(fitted(codec, in_other_unit) == std::array<float, 2>{s * expected[0], expected[1]});
        }
      }
    });
  }
}
