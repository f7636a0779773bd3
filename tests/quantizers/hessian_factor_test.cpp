// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/quantizers/hessian_factor.hpp"

#include <doctest/doctest.h>

#include <Eigen/Cholesky>

#include <limits>

#include "linear_problem.hpp"
#include "luq/core/openmp_executor.hpp"

using luq::matrix;

TEST_CASE("U is upper triangular and U^T U is the inverse of the damped Hessian") {
  for (const luq::index n : {1, 2, 7, 31, 32, 33, 64, 127, 128, 129, 130, 257, 400}) {
    const matrix H = luq_test::make_linear_problem(1, n, 4 * n, 11).H;
    const luq::hessian_factor factor = luq::factorize_hessian(H, {.first = 0.01});
    CHECK(factor.damp == 0.01);
    CHECK(factor.factorizations == 1);
    CHECK(factor.U.isUpperTriangular(0.0f));
    Eigen::MatrixXd damped = H.cast<double>();
    damped.diagonal().array() += 0.01 * damped.diagonal().mean();
    const Eigen::MatrixXd U = factor.U.cast<double>();
    CHECK((U.transpose() * U * damped - Eigen::MatrixXd::Identity(n, n)).cwiseAbs().maxCoeff() < 1e-3);
  }
}

TEST_CASE("U is as accurate as the condition of the Hessian lets it be, at sizes around the tile") {
  for (const luq::index n : {100, 128, 300, 520}) {
    CAPTURE(n);
    const matrix H = luq_test::make_linear_problem(1, n, 3 * n, 12).H;
    const Eigen::MatrixXd U = luq::factorize_hessian(H).U.cast<double>();
    Eigen::MatrixXd damped = H.cast<double>();
    damped.diagonal().array() += 0.01 * damped.diagonal().mean();
    // With R = U^-1, R R^T is the damped Hessian: a backward error, free of its condition.
    const Eigen::MatrixXd R = U.triangularView<Eigen::Upper>().solve(Eigen::MatrixXd::Identity(n, n));
    CHECK((R * R.transpose() - damped).norm() < 2e-6 * damped.norm());
  }
}

TEST_CASE("the factor is the same bits for any number of threads, and in the memory of the Hessian") {
  for (const luq::index n : {90, 300, 700}) {
    CAPTURE(n);
    const matrix H = luq_test::make_linear_problem(1, n, 2 * n, 13).H;
    const matrix serial = luq::factorize_hessian(H).U;
    for (const int threads : {1, 2, 3}) {
      CHECK(luq::factorize_hessian(H, {}, luq::openmp_executor{.threads = threads}).U == serial);
    }
    matrix taken = H;
    const float* memory = taken.data();
    const luq::hessian_factor factor = luq::factorize_hessian_in_place(std::move(taken));
    CHECK(factor.U == serial);
    CHECK(factor.U.data() == memory);
  }
}

TEST_CASE("an attempt that fails leaves the next one the Hessian as it was") {
  const luq::index n = 150;
  matrix H = matrix::Constant(n, n, -1.05f / static_cast<float>(n - 1));
  H.diagonal().setOnes();  // smallest eigenvalue 1 - 1.05 = -0.05
  const luq::hessian_factor climbed = luq::factorize_hessian(H, {.first = 0.01, .last = 1.0});
  CHECK(climbed.factorizations == 4);
  const luq::hessian_factor direct = luq::factorize_hessian(H, {.first = 0.08, .last = 1.0});
  CHECK(direct.factorizations == 1);
  CHECK(climbed.U == direct.U);
}

TEST_CASE("importance is what a unit error of a column costs after the columns behind it have absorbed it") {
  const luq::index n = 9;
  const matrix H = luq_test::make_linear_problem(1, n, 60, 5).H;
  const luq::hessian_factor factor = luq::factorize_hessian(H, {.first = 1e-6});
  // Schur complement: min over the later columns of e^T H e with e_j = 1 and e_i = 0 for i < j.
  for (luq::index j = 0; j < n; ++j) {
    const luq::index later = n - j - 1;
    const Eigen::MatrixXd tail = H.bottomRightCorner(later, later).cast<double>();
    const Eigen::VectorXd coupling = H.col(j).tail(later).cast<double>();
    const double cost = static_cast<double>(H(j, j)) - (later > 0 ? coupling.dot(tail.ldlt().solve(coupling)) : 0.0);
    CHECK(static_cast<double>(factor.importance(j, 1)[0]) == doctest::Approx(cost).epsilon(1e-3));
  }
}

TEST_CASE("a column whose input was always zero is dead and does not disturb the others") {
  matrix H = luq_test::make_linear_problem(1, 6, 40, 3).H;
  const matrix alone = luq::factorize_hessian(H.topLeftCorner(5, 5)).U;
  H.row(5).setZero();
  H.col(5).setZero();
  const luq::hessian_factor factor = luq::factorize_hessian(H);
  CHECK(factor.dead == std::vector<char>{0, 0, 0, 0, 0, 1});
  CHECK(factor.U.col(5).head(5).isZero(0.0f));
  CHECK((factor.U.topLeftCorner(5, 5) - alone).cwiseAbs().maxCoeff() < 0.05f * alone.cwiseAbs().maxCoeff());
}

TEST_CASE("the damping ladder doubles until the factorisation succeeds and reports where it stopped") {
  // Eigenvalues 1 + 3c and 1 - c (three times) with c = 1.05: positive definite once damp exceeds 0.05.
  matrix H = matrix::Constant(4, 4, -1.05f / 3.0f);
  H.diagonal().setOnes();  // smallest eigenvalue 1 - 1.05 = -0.05
  const luq::hessian_factor factor = luq::factorize_hessian(H, {.first = 0.01, .last = 1.0});
  CHECK(factor.damp == doctest::Approx(0.08));
  CHECK(factor.factorizations == 4);
}

TEST_CASE("bad Hessians are errors") {
  const auto code_of = [](const matrix& H, luq::damping_options options) {
    try {
      (void)luq::factorize_hessian(H, options);
    } catch (const luq::error& e) {
      return e.code();
    }
    FAIL("no error");
    return luq::errc::unsupported;
  };
  matrix indefinite(2, 2);
  indefinite << 1, 5, 5, 1;
  CHECK(code_of(indefinite, {}) == luq::errc::indefinite_hessian);
  matrix negative = matrix::Identity(3, 3);
  negative(1, 1) = -1;
  CHECK(code_of(negative, {}) == luq::errc::indefinite_hessian);
  matrix non_finite = matrix::Identity(3, 3);
  non_finite(2, 0) = std::numeric_limits<float>::quiet_NaN();
  CHECK(code_of(non_finite, {}) == luq::errc::non_finite);
  CHECK(code_of(matrix::Identity(3, 3), {.first = 0.0}) == luq::errc::invalid_argument);
  CHECK(code_of(matrix::Identity(3, 3), {.first = 0.5, .last = 0.1}) == luq::errc::invalid_argument);
}
