// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/core/all_finite.hpp"

#include <doctest/doctest.h>

#include <limits>

using luq::matrix;

TEST_CASE("one number that is not finite is found wherever it stands, and no finite one is taken for one") {
  constexpr float largest = std::numeric_limits<float>::max();
  for (const luq::index cols : {1, 7, 16, 37}) {
    for (const float ordinary : {0.0f, -0.0f, largest, -largest, std::numeric_limits<float>::denorm_min()}) {
      matrix A = matrix::Constant(3, cols, ordinary);
      CHECK(luq::all_finite(A));
      for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                              -std::numeric_limits<float>::infinity()}) {
        for (luq::index i = 0; i < A.size(); ++i) {
          A(i / cols, i % cols) = bad;
          CHECK_FALSE(luq::all_finite(A));
          A(i / cols, i % cols) = ordinary;
        }
      }
    }
  }
}

TEST_CASE("what lies between the rows of a view is not looked at, and nothing is finite") {
  matrix A = matrix::Constant(4, 9, std::numeric_limits<float>::infinity());
  A.block(1, 2, 2, 5).setZero();
  CHECK(luq::all_finite(A.block(1, 2, 2, 5)));
  CHECK_FALSE(luq::all_finite(A.block(1, 2, 2, 6)));
  CHECK(luq::all_finite(matrix(0, 5)));
  CHECK(luq::all_finite(matrix(5, 0)));
}
