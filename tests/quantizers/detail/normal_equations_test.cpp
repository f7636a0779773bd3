// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/quantizers/detail/normal_equations.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

using luq::detail::quadratic_gain;
using luq::detail::solve_normal_equations;

TEST_CASE("the solution is that of the lower triangle with the ridge, and nothing gains more") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  luq::basic_matrix<double> A(2, 2);
  A << 4, nan, 2, 6;
  const std::vector<double> b{1, -2};
  const std::vector<double> x = solve_normal_equations(A, b, 0.1);  // 0.1 * (4 + 6) / 2 = 0.5
  luq::basic_matrix<double> expected(2, 2);
  expected << 4.5, 2, 2, 6.5;
  CHECK(A == expected);
  REQUIRE(x.size() == 2);
  const double determinant = 4.5 * 6.5 - 4;
  CHECK(std::abs(x[0] - (6.5 + 4) / determinant) < 1e-15);
  CHECK(std::abs(x[1] - (-9.0 - 2) / determinant) < 1e-15);

  const double most = quadratic_gain(A, b, x);
  CHECK(std::abs(most - (x[0] - 2 * x[1])) < 1e-14);  // b^T x, at the solution
  for (const double step : {-0.1, 0.1}) {
    CHECK(quadratic_gain(A, b, {x[0] + step, x[1]}) < most);
    CHECK(quadratic_gain(A, b, {x[0], x[1] + step}) < most);
  }
}

TEST_CASE("there is no solution where the matrix is not positive definite with the ridge") {
  luq::basic_matrix<double> A(2, 2);
  A << 1, 2, 2, 1;
  CHECK(solve_normal_equations<double>(A, {1, 1}, 1e-5).empty());
}
