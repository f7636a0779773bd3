// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "luq/core/assert.hpp"
#include "luq/core/error.hpp"
#include "luq/policy/plan.hpp"

namespace luq {

LUQ_INLINE void require_consistent(const plan& p) {
  if (p.recipes.size() != p.shape.size()) {
    fail(errc::shape_mismatch, "plan: expected ", p.shape.size(), " recipes, one per layer, got ", p.recipes.size());
  }
  require_valid(p.shape);
  for (const recipe& how : p.recipes) require_valid(how);
}

LUQ_INLINE index layer_bytes(const layer_shape& layer, const recipe& how) {
  index total = 0;
  for (const auto& linear : layer) total += packed_bytes(how, linear.rows, linear.cols);
  return total;
}

LUQ_INLINE index layer_bytes(const plan& p, std::size_t layer) {
  LUQ_ASSERT(layer < p.shape.size() && layer < p.recipes.size());
  return layer_bytes(p.shape[layer], p.recipes[layer]);
}

LUQ_INLINE index total_bytes(const plan& p) {
  LUQ_ASSERT(p.recipes.size() == p.shape.size());
  index total = 0;
  for (std::size_t layer = 0; layer < p.shape.size(); ++layer) total += layer_bytes(p, layer);
  return total;
}

LUQ_INLINE double average_bits(const plan& p) {
  return 8.0 * static_cast<double>(total_bytes(p)) / static_cast<double>(weights_of(p.shape));
}

LUQ_INLINE double average_nominal_bits(const plan& p) {
  LUQ_ASSERT(p.recipes.size() == p.shape.size());
  double bits = 0;
  for (std::size_t layer = 0; layer < p.shape.size(); ++layer) {
    bits += nominal_bits(p.recipes[layer].codec) * static_cast<double>(weights_of(p.shape[layer]));
  }
  return bits / static_cast<double>(weights_of(p.shape));
}

LUQ_INLINE double saving(const plan& p, const plan& baseline) {
  return 1.0 - static_cast<double>(total_bytes(p)) / static_cast<double>(total_bytes(baseline));
}

LUQ_INLINE plan uniform_plan(const model_shape& shape, const recipe& how) {
  require_valid(shape);
  return {shape, std::vector<recipe>(shape.size(), how), "uniform " + stored_name(how)};
}

}  // namespace luq
