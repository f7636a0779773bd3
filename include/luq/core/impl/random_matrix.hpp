// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "luq/core/random_matrix.hpp"

namespace luq {

LUQ_INLINE matrix random_normal_matrix(index rows, index cols, const counter_rng& rng) {
  matrix result(rows, cols);
  for (index i = 0; i < result.size(); ++i) {
    result.data()[i] = static_cast<float>(rng.normal(static_cast<std::uint64_t>(i)));
  }
  return result;
}

LUQ_INLINE matrix random_uniform_matrix(index rows, index cols, const counter_rng& rng) {
  matrix result(rows, cols);
  for (index i = 0; i < result.size(); ++i) {
    result.data()[i] = static_cast<float>(2 * rng.uniform(static_cast<std::uint64_t>(i)) - 1);
  }
  return result;
}

}  // namespace luq
