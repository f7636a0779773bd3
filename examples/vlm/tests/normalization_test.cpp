// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "engine/normalization.hpp"

#include <doctest/doctest.h>

#include <cmath>

TEST_CASE("rms_norm divides by the root mean square and leaves the mean") {
  const vlm::rms_norm norm{Eigen::RowVector4f(1, 2, 3, -1), 1e-5f};
  luq::matrix X(2, 4);
  X << 1, 1, 1, 1, 2, -2, 4, 0;  // mean squares 1 and 6
  const luq::matrix Y = norm(X);
  const float scale = 1.0f / std::sqrt(6.0f + 1e-5f);
  CHECK(Y.row(0).isApprox(Eigen::RowVector4f(1, 2, 3, -1), 1e-4f));
  CHECK(Y.row(1).isApprox(Eigen::RowVector4f(2 * scale, -4 * scale, 12 * scale, 0), 1e-6f));
}

TEST_CASE("layer_norm removes the mean, divides by the deviation, scales and shifts") {
  const vlm::layer_norm norm{Eigen::RowVector4f(1, 2, 3, -1), Eigen::RowVector4f(10, 0, 0, 5), 1e-6f};
  luq::matrix X(2, 4);
  X << 3, 3, 3, 3, 1, 3, 5, 7;  // variances 0 and 5
  const luq::matrix Y = norm(X);
  const float scale = 1.0f / std::sqrt(5.0f);
  CHECK(Y.row(0).isApprox(Eigen::RowVector4f(10, 0, 0, 5), 1e-6f));
  CHECK(Y.row(1).isApprox(Eigen::RowVector4f(10 - 3 * scale, -2 * scale, 3 * scale, 5 - 3 * scale), 1e-5f));
}

TEST_CASE("the variance is exact for rows far from zero") {
  const vlm::layer_norm norm{Eigen::RowVector2f(1, 1), Eigen::RowVector2f(0, 0), 1e-12f};
  luq::matrix X(1, 2);
  X << 4096.0f, 4098.0f;  // the mean of squares less the squared mean would lose the variance of 1
  CHECK(norm(X).isApprox(Eigen::RowVector2f(-1, 1), 1e-6f));
}

TEST_CASE("epsilon keeps a row of zeros finite") {
  luq::matrix X = luq::matrix::Zero(1, 3);
  CHECK(vlm::rms_norm{Eigen::RowVector3f(1, 1, 1), 1e-6f}(X).isZero());
}

TEST_CASE("a view with a stride is read where it is") {
  luq::matrix wide(2, 5);
  wide << 1, 2, 3, 9, 9, 4, 5, 6, 9, 9;
  const luq::matrix narrow = wide.leftCols(3);
  const vlm::rms_norm norm{Eigen::RowVector3f(1, 2, 3), 1e-6f};
  CHECK(norm(wide.leftCols(3)).isApprox(norm(narrow), 1e-7f));
}
