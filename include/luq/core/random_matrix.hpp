// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Matrices of random numbers. Element (r, c) of a [rows x cols] matrix is position r * cols + c of the stream.
#pragma once

#include <cstdint>

#include "luq/core/matrix_view.hpp"
#include "luq/core/random.hpp"

namespace luq {

/// Standard normal numbers.
[[nodiscard]] inline matrix random_normal_matrix(index rows, index cols, const counter_rng& rng) {
  matrix result(rows, cols);
  for (index i = 0; i < result.size(); ++i) {
    result.data()[i] = static_cast<float>(rng.normal(static_cast<std::uint64_t>(i)));
  }
  return result;
}

/// Numbers uniform in [-1, 1), which take a fraction of the time of normal ones.
[[nodiscard]] inline matrix random_uniform_matrix(index rows, index cols, const counter_rng& rng) {
  matrix result(rows, cols);
  for (index i = 0; i < result.size(); ++i) {
    result.data()[i] = static_cast<float>(2 * rng.uniform(static_cast<std::uint64_t>(i)) - 1);
  }
  return result;
}

}  // namespace luq
