// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What is quantized does not depend on the units in which weights and inputs are given. With inputs s x, H becomes
// s^2 H and weights W / s mean the same layer. For s a power of two all float operations scale exactly, so codes are
// the same to the bit, and scales are those of the other unit, as long as nothing leaves the range of normal numbers:
// the squares in H and costs do not in float, scales do not in fp16. Weights here are large, so that differences of
// scales (billm_codec, binary_coding_codec) stay above 2^-14, too.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <type_traits>
#include <vector>

#include "codec_list.hpp"
#include "linear_problem.hpp"
#include "luq/core/random_matrix.hpp"
#include "luq/quantizers/awq.hpp"
#include "luq/quantizers/beam_search.hpp"
#include "luq/quantizers/billm.hpp"
#include "luq/quantizers/error_propagation.hpp"
#include "luq/quantizers/gptq.hpp"
#include "luq/quantizers/quantize.hpp"
#include "luq/quantizers/refined.hpp"
#include "luq/quantizers/round_to_nearest.hpp"
#include "luq/quantizers/row_column.hpp"
#include "quantize_problem.hpp"

using luq::gptq;
using luq::matrix;

namespace {

constexpr luq::index unit_group = 16;
constexpr luq::index unit_inputs = 5 * unit_group + 8;  // a shorter group at the end

/// The last is near the least that squares in float allow, where an absolute constant would be seen however small.
constexpr float input_units[] = {0x1p10f, 0x1p-10f, 0x1p-20f, 0x1p-48f};

/// Which inputs are dead.
struct dead_inputs {
  std::string name;
  luq::index first;
  luq::index count;
  luq::index step;
};

const std::vector<dead_inputs> dead_inputs_to_try{{"none", 0, 0, 1},
                                                  {"two in groups of others", 5, 2, 3 * unit_group},
                                                  {"the first group", 0, unit_group, 1},
                                                  {"the last group", unit_inputs - 8, 8, 1}};

luq_test::linear_problem problem_in_units(const dead_inputs& dead) {
  luq_test::linear_problem problem = luq_test::make_linear_problem(10, unit_inputs, 150, 31);
  problem.W *= 512.0f;
  problem.W.row(3).segment(2 * unit_group, unit_group).setZero();
  for (luq::index i = 0; i < dead.count; ++i) problem.X.col(dead.first + i * dead.step).setZero();
  problem.H = problem.X.transpose() * problem.X / 150.0f;
  return problem;
}

/// Calls check(search) for each search that takes codes of this codec.
template <class Codec, class Check>
void for_each_search_of(const Codec& /*codec*/, Check&& check) {
  check("nearest", luq::round_to_nearest{.weighted_fit = true});
  check("block rule", luq::billm{});
  check("beam search", luq::beam_search{.beams = 4, .rounds = 1});
  if constexpr (luq::MemorylessCodec<Codec>) {
    check("natural order", gptq{});
    check("activation order", gptq{.order = luq::column_order::activation});
    check("group-aware order", gptq{.order = luq::column_order::group_aware});
    check("refined", luq::refined<>{.start = {.order = luq::column_order::activation}});
  }
}

/// Whether two results have the same codes and parameters, but for scales `ratio` times as large in the second.
template <class Codec>
bool same_but_for_unit(const luq::coded_matrix<Codec>& a, const luq::coded_matrix<Codec>& b, float ratio) {
  if (a.codes != b.codes || a.groups.size() != b.groups.size()) return false;
  for (std::size_t g = 0; g < a.groups.size(); ++g) {
    matrix expected = a.groups[g].values;
    expected.leftCols(luq::scale_count<Codec>) *= ratio;  // zero points have no unit
    if (a.groups[g].column_class != b.groups[g].column_class || expected != b.groups[g].values) return false;
  }
  return true;
}

template <class Codec>
void check_units(const Codec& codec) {
  CAPTURE(luq::codec_name(codec));
  for (const dead_inputs& dead : dead_inputs_to_try) {
    CAPTURE(dead.name);
    const auto problem = problem_in_units(dead);
    for_each_search_of(codec, [&](const char* name, const auto& search) {
      CAPTURE(std::string(name));
      const auto expected = luq_test::quantize_codes(problem.W, problem.H, codec, search);
      for (const float s : input_units) {
        CAPTURE(s);
        CHECK(same_but_for_unit(expected, luq_test::quantize_codes(problem.W, s * s * problem.H, codec, search), 1.0f));
      }
      for (const float s : {0x1p-4f, 0x1p4f}) {
        CAPTURE(s);
        const matrix W = problem.W / s;
        CHECK(same_but_for_unit(expected, luq_test::quantize_codes(W, s * s * problem.H, codec, search), 1 / s));
      }
    });
  }
}

/// D of inputs that were others by a twentieth; dead ones were, too.
matrix drift_in_units(const luq_test::linear_problem& problem) {
  const matrix noise = luq::random_normal_matrix(problem.X.rows(), problem.X.cols(), luq::counter_rng(32));
  const matrix drift = 0.05f * noise.cwiseProduct(problem.X);
  return drift.transpose() * problem.X / 150.0f;
}

}  // namespace

TEST_CASE(
    "codes do not depend on the units of weights and inputs: every codec, search and order, dead inputs or none") {
  luq_test::for_each_codec(unit_group, [](const auto& codec) { check_units(codec); });
}

TEST_CASE("nor do those of a searched range") {
  check_units(luq::int_codec<3>{.group = unit_group, .range = luq::int_range::searched});
}

TEST_CASE("nor do drift and its propagation") {
  for (const dead_inputs& dead : dead_inputs_to_try) {
    CAPTURE(dead.name);
    const auto problem = problem_in_units(dead);
    const matrix D = drift_in_units(problem);
    const luq::sign_codec codec{.group = unit_group};
    const gptq drifting{.drift_share = luq::gptaq_drift_share};
    const auto expected = luq_test::quantize_codes_with_drift(problem.W, problem.H, D, codec, drifting);
    const matrix moved = luq::propagate_error(problem.W, problem.H, D);
    CHECK(expected.codes != luq_test::quantize_codes(problem.W, problem.H, codec, gptq{}).codes);
    for (const float s : input_units) {
      CAPTURE(s);
      const matrix H = s * s * problem.H;
      const matrix scaled_drift = s * s * D;
      CHECK(same_but_for_unit(expected,
                              luq_test::quantize_codes_with_drift(problem.W, H, scaled_drift, codec, drifting), 1.0f));
      CHECK(luq::propagate_error(problem.W, H, scaled_drift) == moved);
      CHECK(luq::propagate_error(problem.W / s, H, scaled_drift) == moved / s);
    }
  }
}

TEST_CASE("nor do scales of inputs and of columns") {
  const luq::int_codec<3> codec{.group = unit_group};
  for (const dead_inputs& dead : dead_inputs_to_try) {
    CAPTURE(dead.name);
    const auto problem = problem_in_units(dead);
    const auto check = [&](auto&& quantize) {
      const auto expected = quantize(problem.W, problem.H);
      for (const float s : input_units) {
        CAPTURE(s);
        const auto scaled = quantize(problem.W, s * s * problem.H);
        CHECK(std::ranges::equal(luq_test::bytes_of_transform(scaled), luq_test::bytes_of_transform(expected)));
        CHECK(scaled.unpack().decode() == expected.unpack().decode());
      }
      for (const float s : {0x1p-4f, 0x1p4f}) {
        CAPTURE(s);
        const auto scaled = quantize(problem.W / s, s * s * problem.H);
        CHECK(std::ranges::equal(luq_test::bytes_of_transform(scaled), luq_test::bytes_of_transform(expected)));
        CHECK(scaled.unpack().decode() == expected.unpack().decode() / s);
      }
    };
    check([&](const matrix& W, const matrix& H) {
      return luq_test::quantize_transformed(W, H, luq::awq{}, codec, luq::round_to_nearest{});
    });
    for (const bool weighted : {false, true}) {
      check([&](const matrix& W, const matrix& H) {
        const luq::row_column scales{.weighted = weighted};
        return luq_test::quantize_transformed(W, H, scales, luq::sign_codec{.group = unit_group}, gptq{});
      });
    }
  }
}
