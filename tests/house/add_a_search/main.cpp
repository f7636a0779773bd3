// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A search outside of luq is one header: it goes with every codec, before a refinement and behind every transform.
#include <doctest/doctest.h>

#include <luq/luq.hpp>
#include <luq/templates.hpp>

#include "diagonal_rounding.hpp"

using example::diagonal_rounding;

namespace {

struct linear {
  luq::matrix W = luq::random_normal_matrix(70, 256, luq::counter_rng(1));
  luq::linear_inputs inputs{256};

  linear() {
    luq::matrix X = luq::random_normal_matrix(512, 256, luq::counter_rng(2));
    for (luq::index c = 0; c < X.cols(); ++c) X.col(c) *= c % 16 == 0 ? 20.0f : 1.0f;
    inputs.add(X);
  }

  template <class Linear>
  [[nodiscard]] double error(const Linear& quantized) const {
    return luq::relative_output_error(W, quantized.packed.unpack().decode(), inputs.H());
  }
};

}  // namespace

TEST_CASE("it finds codes for every kind of codec, better ones than a fit to all columns alike") {
  const linear l;
  const auto check = [&](const auto& codec) {
    const auto plain = luq::quantize(l.W, codec, luq::round_to_nearest{});
    CHECK(l.error(luq::quantize({l.W, l.inputs}, codec, diagonal_rounding{})) < l.error(plain));
  };
  check(luq::sign_codec{});
  check(luq::int_codec<3>{.range = luq::int_range::searched});
  check(luq::trellis_codec<4>{});
}

TEST_CASE("it goes before a refinement and behind a transform") {
  const linear l;
  const luq::linear_problem problem(l.W, l.inputs);
  const luq::sign_codec codec{.group = 64};
  const double alone = l.error(luq::quantize(problem, codec, diagonal_rounding{}));
  CHECK(l.error(luq::quantize(problem, codec, luq::refined<diagonal_rounding>{})) < alone);
  const auto scaled = luq::quantize(problem, luq::row_column{}, codec, diagonal_rounding{});
  CHECK(scaled.packed.transform()->name() == "scaling");
  CHECK(l.error(scaled) < alone);
}

TEST_CASE("it is refused where it has nothing to go by") {
  CHECK_THROWS_WITH_AS(static_cast<void>(luq::quantize(linear().W, luq::sign_codec{}, diagonal_rounding{})),
                       "quantizer: expected inputs of the linear (luq::linear_inputs), got weights alone", luq::error);
}
