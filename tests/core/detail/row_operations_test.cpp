// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/core/detail/row_operations.hpp"

#include <doctest/doctest.h>

#include <array>

namespace {

/// Small integers, of which sums of products are exact in any order.
template <int Step>
[[nodiscard]] std::array<float, 40> integers() {
  std::array<float, 40> values{};
  for (int i = 0; i < 40; ++i) values[static_cast<std::size_t>(i)] = static_cast<float>((i * Step) % 11 - 5);
  return values;
}

}  // namespace

TEST_CASE("sums over rows of every width") {
  const auto x = integers<7>();
  const auto y = integers<3>();
  for (luq::index width = 0; width <= 40; ++width) {
    CAPTURE(width);
    float product = 0;
    float square = 0;
    float distance = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(width); ++i) {
      product += x[i] * y[i];
      square += x[i] * x[i];
      distance += (x[i] - y[i]) * (x[i] - y[i]);
    }
    CHECK(luq::detail::dot(x.data(), y.data(), width) == product);
    CHECK(luq::detail::squared_norm(x.data(), width) == static_cast<double>(square));
    CHECK(luq::detail::squared_distance(x.data(), y.data(), width) == distance);

    auto z = y;
    luq::detail::add_scaled(z.data(), -2.0f, x.data(), width);
    int wrong = 0;
    for (std::size_t i = 0; i < z.size(); ++i) {
      wrong += z[i] != (i < static_cast<std::size_t>(width) ? y[i] - 2 * x[i] : y[i]);
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("a squared norm is summed in double") {
  const std::array<float, 2> x{0x1p13f, 1.0f};
  CHECK(luq::detail::squared_norm(x.data(), 2) == 0x1p26 + 1);
}
