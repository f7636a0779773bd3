// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/policy/plan.hpp"

#include <doctest/doctest.h>

#include "io/io_test_support.hpp"
#include "luq/codecs/any_packed_matrix.hpp"
#include "policy/random_model.hpp"

using luq::errc;
using luq_test::check_fails;

namespace {

const luq::sign_codec one_bit{.group = 128};
const luq::int_codec<4> four_bits{.group = 128, .symmetric = true};

}  // namespace

TEST_CASE("bytes and bits of a plan, by hand") {
  // Signs: 64 x 128 are 64 * (16 + 2) = 1152 bytes, 128 x 64 are 128 * (8 + 2) = 1280, 128 x 128 are 2304.
  // Nibbles: 64 * (64 + 2) = 4224, 128 * (32 + 2) = 4352, 128 * (64 + 2) = 8448.
  const luq::plan p{luq_test::three_layers(), {one_bit, four_bits, one_bit}, "by hand"};
  CHECK(luq::layer_bytes(p, 0) == 1152 + 1280);
  CHECK(luq::layer_bytes(p, 1) == 4224);
  CHECK(luq::layer_bytes(p, 2) == 2 * 2304);
  CHECK(luq::layer_bytes(p.shape[0], four_bits) == 4224 + 4352);
  CHECK(luq::total_bytes(p) == 2432 + 4224 + 4608);
  CHECK(luq::average_bits(p) == 8.0 * 11264 / 57344);
  CHECK(luq::average_nominal_bits(p) == doctest::Approx((49152 * 1.0 + 8192 * 4.0) / 57344).epsilon(1e-15));
}

TEST_CASE("the published averages come out of nominal bits, not of true ones") {
  // 16 of 32 equal layers: (16 * 1.08 + 16 * 4) / 32 = 2.54. In true bytes it is (2.875 + flags + 4.15625) / 2.
  luq::model_shape shape;
  for (int layer = 0; layer < 32; ++layer) shape.push_back({{std::to_string(layer), 1024, 1024}});
  luq::plan p = luq::uniform_plan(shape, luq::int_codec<4>{});
  for (std::size_t layer = 0; layer < 16; ++layer) p.recipes[layer] = luq::billm_codec{};
  CHECK(luq::average_nominal_bits(p) == doctest::Approx(2.54).epsilon(1e-12));
  CHECK(luq::average_bits(p) == doctest::Approx((2.875 + 1.0 / 1024 + 4.15625) / 2).epsilon(1e-12));
}

TEST_CASE("savings") {
  const luq::plan low = luq::uniform_plan({{{"w", 64, 128}}}, one_bit);
  const luq::plan high = luq::uniform_plan({{{"w", 64, 128}}}, four_bits);
  CHECK(luq::saving(low, high) == 1.0 - 1152.0 / 4224.0);
  CHECK(luq::saving(high, high) == 0.0);
  CHECK(luq::saving(high, low) < 0.0);
}

TEST_CASE("uniform plans") {
  const luq::plan p = luq::uniform_plan(luq_test::three_layers(), four_bits);
  CHECK(p.recipes == std::vector<luq::recipe>(3, four_bits));
  CHECK(p.reason == "uniform int4:g128:sym");
  CHECK(luq::average_nominal_bits(p) == 4.0);
  check_fails(errc::invalid_argument, "expected at least one linear", [] { (void)luq::uniform_plan({}, one_bit); });
}

TEST_CASE("inconsistent plans") {
  luq::plan p = luq::uniform_plan(luq_test::three_layers(), one_bit);
  CHECK_NOTHROW(luq::require_consistent(p));
  p.recipes.pop_back();
  check_fails(errc::shape_mismatch, "plan: expected 3 recipes, one per layer, got 2",
              [&] { luq::require_consistent(p); });
  p = luq::uniform_plan(luq_test::three_layers(), one_bit);
  p.shape[2][0].name = "a.up";
  check_fails(errc::invalid_argument, "two linears are named a.up", [&] { luq::require_consistent(p); });
}

TEST_CASE("plans are values") {
  const luq::plan p = luq::uniform_plan(luq_test::three_layers(), one_bit);
  luq::plan q = p;
  CHECK(p == q);
  q.recipes[1] = luq::sign_codec{.group = 64};
  CHECK_FALSE(p == q);
  q = p;
  q.shape[0][0].rows += 1;
  CHECK_FALSE(p == q);
  q = p;
  q.reason = "other";
  CHECK_FALSE(p == q);
}

TEST_CASE("a plan's bytes are those that packed matrices occupy") {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    CAPTURE(seed);
    luq::plan p{luq_test::random_model(seed), {}, ""};
    luq::index occupied = 0;
    for (std::size_t layer = 0; layer < p.shape.size(); ++layer) {
      p.recipes.push_back(luq_test::random_codec(seed, layer));
      for (const luq::linear_shape& linear : p.shape[layer]) {
        std::visit(
            [&](const auto& codec) {
              luq::coded_matrix<std::decay_t<decltype(codec)>> coded(codec, linear.rows, linear.cols);
              for (auto& group : coded.groups)
                group.values.setZero(linear.rows, luq::parameter_count<std::decay_t<decltype(codec)>>);
              occupied += static_cast<luq::index>(luq::pack(coded).bytes().size());
            },
            p.recipes[layer].codec);
      }
    }
    CHECK(luq::total_bytes(p) == occupied);
    CHECK(luq::average_bits(p) * static_cast<double>(luq::weights_of(p.shape)) / 8 ==
          doctest::Approx(static_cast<double>(occupied)).epsilon(1e-14));
  }
}
