// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "engine/kv_cache.hpp"

#include <doctest/doctest.h>

#include <vector>

TEST_CASE("a cache appends, truncates, and copies independently") {
  vlm::kv_cache cache(2, 3);
  CHECK(cache.length() == 0);
  CHECK(cache.layers() == 2);
  luq::matrix K(2, 3);
  K << 1, 2, 3, 4, 5, 6;
  const luq::matrix V = 10.0f * K;
  cache.layer(0).append(K, V);
  cache.layer(1).append(V, K);
  cache.layer(0).append(K.bottomRows(1), V.bottomRows(1));
  cache.layer(1).append(V.bottomRows(1), K.bottomRows(1));
  REQUIRE(cache.length() == 3);
  CHECK(cache.layer(0).keys().topRows(2) == K);
  CHECK(cache.layer(0).keys().row(2) == K.row(1));
  CHECK(cache.layer(0).values().topRows(2) == V);
  CHECK(cache.layer(1).values().row(2) == K.row(1));

  vlm::kv_cache copy = cache;
  copy.truncate(1);
  CHECK(copy.length() == 1);
  CHECK(copy.layer(1).length() == 1);
  CHECK(copy.layer(0).keys().row(0) == K.row(0));
  CHECK(cache.length() == 3);
  copy.layer(0).append(V, K);
  CHECK(copy.layer(0).keys().bottomRows(2) == V);
  CHECK(cache.layer(0).keys().row(1) == K.row(1));
}

TEST_CASE("rows of a wider matrix are appended without their neighbours") {
  luq::matrix wide(2, 4);
  wide << 1, 2, 9, 9, 3, 4, 9, 9;
  vlm::layer_cache layer(2);
  layer.append(wide.leftCols(2), wide.leftCols(2));
  CHECK(layer.keys() == wide.leftCols(2));
}

TEST_CASE("the next position is behind all that came before, and goes back with the cache") {
  vlm::kv_cache cache(1, 1);
  const auto append = [&](std::vector<vlm::token_position> positions) {
    const luq::matrix rows = luq::matrix::Zero(static_cast<luq::index>(positions.size()), 1);
    cache.layer(0).append(rows, rows);
    cache.note_positions(positions);
  };
  CHECK(cache.next_position() == 0);
  append({vlm::text_position(0), vlm::text_position(1)});
  CHECK(cache.next_position() == 2);
  append({{2, 2, 2}, {2, 2, 3}, {2, 2, 4}, {2, 3, 2}, {2, 3, 3}, {2, 3, 4}});  // an image of 2 x 3 tokens
  CHECK(cache.length() == 8);
  CHECK(cache.next_position() == 5);
  append({vlm::text_position(5)});
  const vlm::kv_cache copy = cache;
  cache.truncate(8);
  CHECK(cache.next_position() == 5);
  cache.truncate(2);
  CHECK(cache.next_position() == 2);
  cache.truncate(0);
  CHECK(cache.next_position() == 0);
  CHECK(copy.next_position() == 6);
}
