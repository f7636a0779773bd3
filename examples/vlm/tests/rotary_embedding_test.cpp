// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "engine/rotary_embedding.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <initializer_list>
#include <utility>
#include <vector>

#include "engine_test_support.hpp"

using vlm::rotary_config;
using vlm::rotary_scaling;

namespace {

/// For tokens of text.
vlm::rotary_table table_at(const rotary_config& config, luq::index head_dim,
                           std::initializer_list<luq::index> positions) {
  std::vector<vlm::token_position> tokens;
  for (const luq::index position : positions) tokens.push_back(vlm::text_position(position));
  return {vlm::make_rotary_pairs(config, head_dim), tokens};
}

}  // namespace

TEST_CASE("frequencies are those of transformers") {
  // inv_freq of LlamaRotaryEmbedding for head_dim 16, transformers 5.23.
  struct golden {
    rotary_config config;
    std::array<float, 8> frequencies;
  };
  const golden cases[] = {
      {{},
       {1.0f, 0.316227764f, 0.100000001f, 0.0316227786f, 0.00999999978f, 0.00316227786f, 0.00100000005f,
        0.000316227786f}},
      {{.scaling = rotary_scaling::linear, .factor = 4.0},
       {0.25f, 0.079056941f, 0.0250000004f, 0.00790569466f, 0.00249999994f, 0.000790569466f, 0.000250000012f,
        7.90569466e-05f}},
      {{.theta = 500000.0, .scaling = rotary_scaling::llama3, .factor = 8.0, .original_positions = 8192},
       {1.0f, 0.193922758f, 0.0376060307f, 0.00729266508f, 0.000524846022f, 3.42810235e-05f, 6.64786967e-06f,
        1.28917316e-06f}}};
  for (const golden& expected : cases) {
    const Eigen::RowVectorXf actual = vlm::rotary_frequencies(expected.config, 16);
    REQUIRE(actual.size() == 8);
    for (luq::index i = 0; i < 8; ++i) {
      const float frequency = expected.frequencies[static_cast<std::size_t>(i)];
      CAPTURE(i);
      CHECK(std::abs(actual[i] - frequency) <= 2.5e-7f * frequency);
    }
  }
}

TEST_CASE("feature i turns with feature i + head_dim / 2, in every head") {
  const Eigen::RowVectorXf frequencies = vlm::rotary_frequencies({}, 4);  // 1 and 0.01
  luq::matrix X(2, 8);
  X << 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8;
  const luq::matrix before = X;
  table_at({}, 4, {0, 3}).rotate(X);
  CHECK(X.row(0) == before.row(0));  // position 0 does not turn
  for (const luq::index head : {0, 4}) {
    for (const luq::index i : {0, 1}) {
      const float angle = 3.0f * frequencies[i];
      const float a = before(1, head + i);
      const float b = before(1, head + 2 + i);
      CHECK(X(1, head + i) == doctest::Approx(a * std::cos(angle) - b * std::sin(angle)));
      CHECK(X(1, head + 2 + i) == doctest::Approx(b * std::cos(angle) + a * std::sin(angle)));
    }
  }
}

TEST_CASE("products of rotated queries and keys depend on the distance only") {
  const auto product = [&](luq::index query_position, luq::index key_position) {
    luq::matrix rows(2, 8);
    rows << 1, -2, 3, 0.5f, 2, 1, -1, 4, 0.3f, 1, 2, -1, 1, 1, 3, -2;
    table_at({}, 8, {query_position, key_position}).rotate(rows);
    return rows.row(0).dot(rows.row(1));
  };
  CHECK(product(9, 4) == doctest::Approx(product(105, 100)).epsilon(1e-4));
  CHECK(product(9, 4) != doctest::Approx(product(9, 5)).epsilon(1e-2));
}

TEST_CASE("a block of a larger matrix is rotated in place") {
  const vlm::rotary_table table = table_at({}, 2, {1});
  luq::matrix X = luq::matrix::Constant(1, 6, 1.0f);
  table.rotate(X.middleCols(2, 2));
  CHECK(X(0, 1) == 1.0f);
  CHECK(X(0, 2) == doctest::Approx(std::cos(1.0) - std::sin(1.0)));
  CHECK(X(0, 3) == doctest::Approx(std::cos(1.0) + std::sin(1.0)));
  CHECK(X(0, 4) == 1.0f);
}

TEST_CASE("sections of pairs turn with time, height and width in turn") {
  // Pairs of a head of 12: one by time, two by height, one by width, two by time again.
  const rotary_config config{.sections = {1, 2, 1, 2}};
  const vlm::rotary_pairs pairs = vlm::make_rotary_pairs(config, 12);
  using enum vlm::position_axis;
  CHECK(pairs.axes == std::vector<vlm::position_axis>{time, height, height, width, time, time});

  const std::vector<vlm::token_position> positions{{7, 2, 5}, vlm::text_position(7)};
  const luq::matrix before = luq::matrix::Constant(2, 12, 1.0f);
  luq::matrix X = before;
  vlm::rotary_table(pairs, positions).rotate(X);
  constexpr std::array<float, 6> turns{7, 2, 2, 5, 7, 7};
  for (luq::index i = 0; i < 6; ++i) {
    CAPTURE(i);
    const float angle = turns[static_cast<std::size_t>(i)] * pairs.frequencies[i];
    CHECK(X(0, i) == doctest::Approx(std::cos(angle) - std::sin(angle)));
    CHECK(X(0, i + 6) == doctest::Approx(std::cos(angle) + std::sin(angle)));
  }
  luq::matrix plain = before.bottomRows(1);
  table_at({}, 12, {7}).rotate(plain);
  CHECK(X.row(1) == plain.row(0));  // text
}
