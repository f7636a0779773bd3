// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/quantizers/output_error.hpp"

#include <doctest/doctest.h>

#include "linear_problem.hpp"
#include "luq/core/random_matrix.hpp"

using luq::matrix;

TEST_CASE("the error from the Hessian is the error measured on the activations") {
  const auto problem = luq_test::make_linear_problem(20, 30, 100, 1);
  const matrix Q = problem.W + 0.1f * luq::random_normal_matrix(20, 30, luq::counter_rng(2));
  const double expected = luq_test::measured_output_error(problem, Q);
  CHECK(luq::relative_output_error(problem.W, Q, problem.H) == doctest::Approx(expected).epsilon(1e-4));
  CHECK(luq::relative_output_error(problem.W, Q, 7.0f * problem.H) == doctest::Approx(expected).epsilon(1e-4));
}

TEST_CASE("limits: an exact matrix has error 0, the zero matrix error 1, a silent layer error 0") {
  const auto problem = luq_test::make_linear_problem(5, 8, 50, 3);
  CHECK(luq::relative_output_error(problem.W, problem.W, problem.H) == 0.0);
  CHECK(luq::relative_output_error(problem.W, matrix::Zero(5, 8), problem.H) == doctest::Approx(1.0));
  CHECK(luq::relative_output_error(matrix::Zero(5, 8), matrix::Zero(5, 8), problem.H) == 0.0);
}
