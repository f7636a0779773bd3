// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/policy/model_shape.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "io/io_test_support.hpp"
#include "luq/codecs/any_codec.hpp"
#include "policy/random_model.hpp"

using luq::errc;
using luq_test::check_fails;

TEST_CASE("weights are counted by linear, layer and model") {
  const luq::model_shape model = luq_test::three_layers();
  CHECK(model[0][1].weights() == 8192);
  CHECK(luq::weights_of(model[0]) == 16384);
  CHECK(luq::weights_of(model) == 16384 + 8192 + 32768);
  CHECK(luq::weights_of(luq::model_shape()) == 0);
}

TEST_CASE("valid models, one with an empty layer among them") {
  CHECK_NOTHROW(luq::require_valid(luq_test::three_layers()));
  CHECK_NOTHROW(luq::require_valid(luq::model_shape{{}, {{"w", 1, 1}}}));
  for (std::uint64_t seed = 0; seed < 20; ++seed) CHECK_NOTHROW(luq::require_valid(luq_test::random_model(seed)));
}

TEST_CASE("invalid models say why") {
  const auto check_invalid = [](const luq::model_shape& model, std::string_view fragment) {
    check_fails(errc::invalid_argument, fragment, [&] { luq::require_valid(model); });
  };
  check_invalid({}, "expected at least one linear, got none");
  check_invalid({{}, {}}, "expected at least one linear, got none");
  check_invalid({{{"a", 1, 1}}, {{"", 1, 1}}}, "layer 1 has a linear without a name");
  check_invalid({{{"a", 0, 5}}}, "a: expected at least one row and one column, got 0 x 5");
  check_invalid({{{"a", 5, 0}}}, "got 5 x 0");
  check_invalid({{{"a", -1, -1}}}, "got -1 x -1");
  check_invalid({{{"a", 1, 1}, {"b", 1, 1}}, {{"a", 2, 2}}}, "two linears are named a");
}

TEST_CASE("the number of weights is bounded, whatever overflows first") {
  const luq::index root = luq::index{1} << 24;
  constexpr luq::index huge = std::numeric_limits<luq::index>::max();
  CHECK_NOTHROW(luq::require_valid(luq::model_shape{{{"a", root, root}}}));
  for (const luq::model_shape& model :
       {luq::model_shape{{{"a", root, root}, {"b", 1, 1}}}, luq::model_shape{{{"a", root + 1, root}}},
        luq::model_shape{{{"a", huge, huge}}}, luq::model_shape{{{"a", huge, 1}}},
        luq::model_shape{{{"a", 1, huge}}}}) {
    check_fails(errc::invalid_argument, "the model exceeds 281474976710656", [&] { luq::require_valid(model); });
  }
}

TEST_CASE("no codec takes more than 16 bytes for a weight, so bounded weights bound bytes") {
  for (luq::any_codec codec : luq_test::all_codecs()) {
    std::visit([](auto& c) { c.group = 1; }, codec);
    CAPTURE(luq::codec_name(codec));
    const luq::index root = luq::index{1} << 24;
    for (const auto& [rows, cols] : {std::pair<luq::index, luq::index>(1, 1), {1, 999}, {999, 1}, {65, 129}}) {
      CHECK(luq::packed_bytes(codec, rows, cols) <= 17 * rows * cols);  // one flag byte in a tiny matrix
    }
    CHECK(luq::packed_bytes(codec, root, root) > 0);
    CHECK(luq::packed_bytes(codec, root, root) < luq::index{1} << 53);
  }
}
