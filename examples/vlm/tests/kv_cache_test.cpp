// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "engine/kv_cache.hpp"

#include <doctest/doctest.h>

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
