// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/llama_cpp/detail/rotary_rows.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <span>
#include <vector>

TEST_CASE("rows of a head go from halves to neighbours") {
  // [heads, 2, d/2] -> [heads, d/2, 2], as the converter of llama.cpp has it
  constexpr luq::index heads = 3;
  for (const luq::index head_dim : {2, 6, 32}) {
    luq::index next = 0;
    for (luq::index head = 0; head < heads; ++head) {
      for (luq::index pair = 0; pair < head_dim / 2; ++pair) {
        for (luq::index part = 0; part < 2; ++part) {
          CHECK(luq::detail::row_by_halves(next++, head_dim) == head * head_dim + part * (head_dim / 2) + pair);
        }
      }
    }
  }
}

TEST_CASE("whole rows are moved") {
  std::vector<std::byte> rows;
  for (int row = 0; row < 8; ++row) {
    for (int byte = 0; byte < 3; ++byte) rows.push_back(static_cast<std::byte>(16 * row + byte));
  }
  const std::vector<std::byte> moved = luq::detail::rows_by_neighbours(rows, 8, 4);
  REQUIRE(moved.size() == rows.size());
  const int order[] = {0, 2, 1, 3, 4, 6, 5, 7};
  for (std::size_t row = 0; row < 8; ++row) {
    for (std::size_t byte = 0; byte < 3; ++byte) {
      CHECK(std::to_integer<int>(moved[3 * row + byte]) == 16 * order[row] + static_cast<int>(byte));
    }
  }
}
