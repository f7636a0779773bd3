// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The yardstick of benchmarks that are bound by arithmetic: the single-precision rate of a plain product of two square
// matrices by Eigen, under the same flags, cut into tiles of 512 x 512 over all inner columns, which the caller's
// executor runs. The best of several, in multiplications and additions a second.
#pragma once

#include <algorithm>
#include <chrono>

#include "luq/core/executor.hpp"
#include "luq/core/random_matrix.hpp"

namespace luq_bench {

template <luq::Executor E>
double measure_matrix_rate(const E& executor) {
  constexpr luq::index side = 2048;
  constexpr luq::index tile = 512;
  constexpr luq::index tiles = side / tile;
  const luq::matrix A = luq::random_normal_matrix(side, side, luq::counter_rng(1));
  const luq::matrix B = luq::random_normal_matrix(side, side, luq::counter_rng(2));
  luq::matrix C = luq::matrix::Zero(side, side);
  double best = 0;
  for (int repeat = 0; repeat < 5; ++repeat) {
    const auto start = std::chrono::steady_clock::now();
    executor.parallel_for(tiles * tiles, [&](luq::index task) {
      const luq::index i = task / tiles * tile;
      const luq::index j = task % tiles * tile;
      C.block(i, j, tile, tile).noalias() += A.middleRows(i, tile) * B.middleCols(j, tile);
    });
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    best = std::max(best, 2.0 * side * side * side / seconds.count());
  }
  return best;
}

}  // namespace luq_bench
