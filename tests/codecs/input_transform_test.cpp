// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What every input transform promises, for each of them and every number of columns up to 300.
#include "luq/codecs/input_transform.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "io/io_test_support.hpp"
#include "luq/codecs/hadamard_rotation.hpp"
#include "luq/codecs/input_scaling.hpp"
#include "luq/core/error.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/core/random.hpp"
#include "luq/core/random_matrix.hpp"

using luq::matrix;

namespace {

/// Calls check(transform) for one transform of each kind.
template <class Check>
void for_each_transform(luq::index columns, Check&& check) {
  const luq::counter_rng rng(static_cast<std::uint64_t>(columns), 3);
  std::vector<float> factors;
  for (luq::index c = 0; c < columns; ++c) {
    const double sign = c % 7 == 2 ? -1 : 1;
    factors.push_back(static_cast<float>(sign * std::exp(rng.normal(static_cast<std::uint64_t>(c)))));
  }
  check(luq::input_scaling(factors));
  check(luq::hadamard_rotation(columns, {.seed = static_cast<std::uint64_t>(columns)}));
}

template <class Transform>
matrix activations_of(const Transform& transform, matrix X) {
  transform.transform_activations(X);
  return X;
}

template <class Transform>
matrix weights_of(const Transform& transform, matrix W) {
  transform.transform_weights(W);
  return W;
}

double distance(const Eigen::MatrixXd& A, const Eigen::MatrixXd& B) {
  return A.size() == 0 ? 0.0 : (A - B).norm() / B.norm();
}

Eigen::MatrixXd wide(const matrix& A) {
  return A.cast<double>();
}

}  // namespace

TEST_CASE("transformed weights times transformed inputs are the output, and weights come back") {
  for (luq::index columns = 1; columns <= 300; ++columns) {
    CAPTURE(columns);
    const auto seed = static_cast<std::uint64_t>(columns);
    const matrix W = luq::random_normal_matrix(1 + columns % 5, columns, luq::counter_rng(seed, 1));
    const matrix X = luq::random_normal_matrix(1 + columns % 3, columns, luq::counter_rng(seed, 2));
    for_each_transform(columns, [&](const auto& transform) {
      CAPTURE(transform.name());
      CHECK(transform.in_features() == columns);
      matrix turned = weights_of(transform, W);
      // float rounding: relative to the magnitudes, not to an output that may cancel
      const Eigen::MatrixXd product = wide(activations_of(transform, X)) * wide(turned).transpose();
      const Eigen::MatrixXd exact = wide(X) * wide(W).transpose();
      CHECK((product - exact).cwiseAbs().maxCoeff() <= 1e-6 * W.norm() * X.norm());
      transform.restore_weights(turned);
      CHECK(distance(wide(turned), wide(W)) < 1e-6);
    });
  }
}

TEST_CASE("a transformed Hessian is that of transformed activations, symmetric to the last bit") {
  for (const luq::index columns : {1, 2, 3, 8, 12, 24, 40, 64, 100, 129, 256, 300}) {
    CAPTURE(columns);
    const matrix X = luq::random_normal_matrix(50, columns, luq::counter_rng(5, static_cast<std::uint64_t>(columns)));
    for_each_transform(columns, [&](const auto& transform) {
      CAPTURE(transform.name());
      matrix H = X.transpose() * X;
      H.triangularView<Eigen::StrictlyUpper>() = H.transpose();
      transform.transform_hessian(H);
      const Eigen::MatrixXd turned = wide(activations_of(transform, X));
      CHECK(distance(wide(H), turned.transpose() * turned) < 1e-6);
      CHECK((H - H.transpose()).isZero(0));
    });
  }
}

TEST_CASE("bytes restore an equal transform, and no other number of bytes does") {
  for (const luq::index columns : {0, 1, 5, 16, 48, 300}) {
    CAPTURE(columns);
    for_each_transform(columns, [&]<class Transform>(const Transform& transform) {
      CAPTURE(transform.name());
      std::vector<std::byte> bytes(static_cast<std::size_t>(transform.bytes()));
      transform.pack(bytes);
      const Transform again = Transform::unpack(columns, bytes);
      CHECK(again == transform);
      const matrix X = luq::random_normal_matrix(2, columns, luq::counter_rng(6));
      CHECK(activations_of(again, X) == activations_of(transform, X));
      bytes.push_back(std::byte{0});
      CHECK_THROWS_AS((void)Transform::unpack(columns, bytes), luq::error);
    });
  }
}

TEST_CASE("a format that knows no transforms refuses one by name") {
  CHECK_NOTHROW(luq::require_no_transform(nullptr, "tensor w"));
  for_each_transform(8, [](const auto& transform) {
    const luq::shared_transform shared = std::make_shared<std::decay_t<decltype(transform)>>(transform);
    luq_test::check_fails(luq::errc::unsupported,
                          "tensor w: expected inputs as they are, got the transform " + std::string(transform.name()),
                          [&] { luq::require_no_transform(shared, "tensor w"); });
  });
}

TEST_CASE("views with a stride are transformed in place, and nothing beside them is touched") {
  for_each_transform(24, [&](const auto& transform) {
    CAPTURE(transform.name());
    const matrix before = luq::random_normal_matrix(5, 31, luq::counter_rng(7));
    matrix after = before;
    transform.transform_activations(after.middleCols(3, 24));
    CHECK(matrix(after.middleCols(3, 24)) == activations_of(transform, before.middleCols(3, 24)));
    CHECK(matrix(after.leftCols(3)) == matrix(before.leftCols(3)));
    CHECK(matrix(after.rightCols(4)) == matrix(before.rightCols(4)));
  });
}

TEST_CASE("the result is the same bits for any number of threads") {
  const matrix X = luq::random_normal_matrix(70, 160, luq::counter_rng(8));
  const matrix H = X.transpose() * X;
  for_each_transform(160, [&](const auto& transform) {
    CAPTURE(transform.name());
    for (const int threads : {1, 2, 3}) {
      const luq::openmp_executor executor{.threads = threads};
      const auto check_same = [&](const matrix& source, auto&& action) {
        matrix serial = source;
        matrix parallel = source;
        action(serial, luq::serial_executor{});
        action(parallel, executor);
        CHECK(serial == parallel);
      };
      check_same(X, [&](matrix& M, const auto& e) { transform.transform_activations(M, e); });
      check_same(X, [&](matrix& M, const auto& e) { transform.transform_weights(M, e); });
      check_same(X, [&](matrix& M, const auto& e) { transform.restore_weights(M, e); });
      check_same(H, [&](matrix& M, const auto& e) { transform.transform_hessian(M, e); });
    }
  });
}
