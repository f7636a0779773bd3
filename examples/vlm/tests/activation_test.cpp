// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "engine/activation.hpp"

#include <doctest/doctest.h>

#include <cmath>

using vlm::activation;

namespace {

double expected_activation(activation kind, double x) {
  switch (kind) {
    case activation::gelu:
      return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
    case activation::quick_gelu:
      return x / (1.0 + std::exp(-1.702 * x));
    case activation::silu:
      break;
  }
  return x / (1.0 + std::exp(-x));
}

}  // namespace

TEST_CASE("activations agree with their formulas in double, at every alignment of an element") {
  for (const activation kind : {activation::gelu, activation::quick_gelu, activation::silu}) {
    for (const luq::index cols : {1, 7, 64, 81}) {
      luq::matrix X(3, cols);
      for (luq::index i = 0; i < X.size(); ++i) X.data()[i] = -6.0f + 0.05f * static_cast<float>(i);
      const luq::matrix before = X;
      vlm::apply(kind, X);
      for (luq::index i = 0; i < X.size(); ++i) {
        const double x = static_cast<double>(before.data()[i]);
        CAPTURE(x);
        CHECK(std::abs(static_cast<double>(X.data()[i]) - expected_activation(kind, x)) < 1e-6 * (1 + std::abs(x)));
      }
    }
  }
}

TEST_CASE("activations saturate without NaN") {
  for (const activation kind : {activation::gelu, activation::quick_gelu, activation::silu}) {
    luq::matrix X(2, 16);
    X.row(0).setConstant(-1e30f);
    X.row(1).setConstant(1e30f);
    vlm::apply(kind, X);
    CHECK(X.row(0).cwiseAbs().maxCoeff() <= 1e-6f);
    CHECK(X.row(1).minCoeff() == 1e30f);
  }
}
