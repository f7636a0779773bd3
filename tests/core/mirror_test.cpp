// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/core/mirror.hpp"

#include <doctest/doctest.h>

#include "luq/core/random_matrix.hpp"

TEST_CASE("the lower triangle is kept and repeated above the diagonal, at sizes around the tile") {
  for (const luq::index n : {0, 1, 2, 63, 64, 65, 130, 200}) {
    CAPTURE(n);
    const luq::matrix A = luq::random_normal_matrix(n, n, luq::counter_rng(1));
    luq::matrix S = A;
    luq::mirror_lower(S);
    CHECK(S == luq::matrix(S.transpose()));
    CHECK(luq::matrix(S.triangularView<Eigen::Lower>()) == luq::matrix(A.triangularView<Eigen::Lower>()));
  }
}

TEST_CASE("a part of a larger matrix is mirrored without touching the rest") {
  luq::matrix A = luq::random_normal_matrix(90, 100, luq::counter_rng(2));
  luq::matrix expected = A;
  luq::mirror_lower(A.block(5, 7, 70, 70));
  for (luq::index r = 0; r < 70; ++r) {
    for (luq::index c = r + 1; c < 70; ++c) expected(5 + r, 7 + c) = expected(5 + c, 7 + r);
  }
  CHECK(A == expected);
}
