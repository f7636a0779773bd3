// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/core/detail/unrolled.hpp"

#include <doctest/doctest.h>

#include <array>
#include <vector>

TEST_CASE("steps come in order, each with its number as a constant") {
  std::vector<luq::index> seen;
  luq::detail::unrolled<4>([&](auto i) {
    std::array<int, static_cast<std::size_t>(i()) + 1> as_long_as_its_number{};
    CHECK(static_cast<luq::index>(as_long_as_its_number.size()) == i() + 1);
    seen.push_back(i());
  });
  CHECK(seen == std::vector<luq::index>{0, 1, 2, 3});
}

TEST_CASE("no steps") {
  bool called = false;
  luq::detail::unrolled<0>([&](auto) { called = true; });
  CHECK(!called);
}
