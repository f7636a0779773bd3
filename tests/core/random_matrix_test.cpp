// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/core/random_matrix.hpp"

#include <doctest/doctest.h>

TEST_CASE("element (r, c) of a random matrix is position r * cols + c of the stream") {
  const luq::counter_rng rng(17, 4);
  const luq::matrix normal = luq::random_normal_matrix(5, 7, rng);
  const luq::matrix uniform = luq::random_uniform_matrix(5, 7, rng);
  for (const luq::matrix& X : {normal, uniform}) {
    REQUIRE(X.rows() == 5);
    REQUIRE(X.cols() == 7);
  }
  for (luq::index r = 0; r < 5; ++r) {
    for (luq::index c = 0; c < 7; ++c) {
      const auto position = static_cast<std::uint64_t>(r * 7 + c);
      REQUIRE(normal(r, c) == static_cast<float>(rng.normal(position)));
      REQUIRE(uniform(r, c) == static_cast<float>(2 * rng.uniform(position) - 1));
    }
  }
}
