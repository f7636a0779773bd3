// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "engine/linear.hpp"

#include <luq/core/random_matrix.hpp>

#include "engine_test_support.hpp"

using vlm::linear;

namespace {

auto shared(luq::matrix W) {
  return std::make_shared<const luq::matrix>(std::move(W));
}

}  // namespace

TEST_CASE("a dense linear multiplies by the transpose and adds its bias") {
  luq::matrix W(2, 3);
  W << 1, 2, 3, 4, 5, 6;
  luq::matrix X(2, 3);
  X << 1, 0, -1, 2, 2, 2;
  luq::matrix product(2, 2);
  product << -2, -2, 12, 30;
  CHECK(linear(shared(W))(X) == product);

  const auto bias = std::make_shared<const Eigen::RowVectorXf>(Eigen::RowVector2f(10, -10));
  luq::matrix shifted(2, 2);
  shifted << 8, -12, 22, 20;
  CHECK(linear(shared(W), bias)(X) == shifted);
}

TEST_CASE("weights can be replaced by others of the same shape, and copies keep theirs") {
  const luq::matrix W = luq::random_normal_matrix(5, 4, luq::counter_rng(1));
  const luq::matrix X = luq::random_normal_matrix(3, 4, luq::counter_rng(2));
  linear original(shared(W), std::make_shared<const Eigen::RowVectorXf>(Eigen::RowVectorXf::Constant(5, 1.0f)));
  linear changed = original;
  CHECK(changed.weights() == original.weights());  // shared, not copied
  changed.set_weights(shared(2.0f * W));
  const luq::matrix ones = luq::matrix::Ones(3, 5);
  CHECK((changed(X) - ones).isApprox(2.0f * (original(X) - ones), 1e-5f));
  vlm_test::check_fails(luq::errc::shape_mismatch, {"expected 5 x 4", "got 4 x 5"},
                        [&] { changed.set_weights(shared(W.transpose())); });
}
