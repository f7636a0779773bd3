// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/quantizers/hessian_factor.hpp"

#include <doctest/doctest.h>

#include <Eigen/Cholesky>

#include <limits>
#include <string>

#include "io/io_test_support.hpp"
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

TEST_CASE("a column whose input was always zero is dead, has the ridge alone and does not disturb the others") {
  for (const luq::index at : {0, 3, 5}) {
    CAPTURE(at);
    const matrix alone = luq_test::make_linear_problem(1, 5, 40, 3).H;
    const luq::hessian_factor expected = luq::factorize_hessian(alone);
    std::vector<int> others{0, 1, 2, 3, 4, 5};
    others.erase(others.begin() + at);
    matrix H = matrix::Zero(6, 6);
    H(others, others) = alone;
    const luq::hessian_factor factor = luq::factorize_hessian(H);
    std::vector<char> dead(6, 0);
    dead[static_cast<std::size_t>(at)] = 1;
    CHECK(factor.dead == dead);
    CHECK(factor.ridge == expected.ridge);
    CHECK(matrix(factor.U(others, others)) == expected.U);
    CHECK(factor.importance(at, 1)[0] == doctest::Approx(static_cast<double>(factor.ridge)));
    matrix coupling = factor.U;
    coupling(at, at) = 0;
    CHECK(coupling.row(at).isZero(0.0f));
    CHECK(coupling.col(at).isZero(0.0f));
  }
}

TEST_CASE("the factor of inputs in another unit is that factor in their unit, to the bit") {
  for (const luq::index n : {6, 150}) {
    CAPTURE(n);
    matrix H = luq_test::make_linear_problem(1, n, 2 * n, 14).H;
    H.row(2).setZero();
    H.col(2).setZero();
    const luq::hessian_factor expected = luq::factorize_hessian(H);
    for (const float s : {0x1p-40f, 0x1p-10f, 0x1p10f, 0x1p40f}) {
      CAPTURE(s);
      const luq::hessian_factor factor = luq::factorize_hessian(s * s * H);
      CHECK(factor.damp == expected.damp);
      CHECK(factor.dead == expected.dead);
      CHECK(factor.ridge == s * s * expected.ridge);
      CHECK(factor.U == expected.U / s);
    }
  }
}

TEST_CASE("the mean of the diagonal is that of live inputs") {
  matrix H = matrix::Zero(4, 4);
  H(1, 1) = 3e-6f;
  H(3, 3) = 1e-6f;
  CHECK(luq::mean_live_diagonal(H) == doctest::Approx(2e-6));
  CHECK(luq::mean_live_diagonal(matrix(0, 0)) == 0.0);
}

TEST_CASE("a Hessian of inputs that are all dead is an error") {
  for (const luq::index n : {1, 40}) {
    luq_test::check_fails(luq::errc::insufficient_data, "Hessian of " + std::to_string(n) + " inputs: expected one",
                          [&] { (void)luq::factorize_hessian(matrix::Zero(n, n)); });
  }
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
