// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A plan as a value: which codec each decoder layer gets, and what that occupies. A layer is homogeneous, as in LUQ,
// so that one kernel serves a layer. Bytes are those of the packed matrices, everything counted; what a plan promises
// is what a file of packed matrices holds, to the byte.
#pragma once

#include <string>
#include <vector>

#include "luq/codecs/any_codec.hpp"
#include "luq/core/assert.hpp"
#include "luq/core/error.hpp"
#include "luq/policy/model_shape.hpp"

namespace luq {

struct plan {
  model_shape shape;
  std::vector<any_codec> codecs;  ///< one per layer
  std::string reason;             ///< what chose them, for the reader: order, scores, budget

  friend bool operator==(const plan&, const plan&) = default;
};

/// Checks a plan made by hand; those that this area and io/ make are consistent.
/// @throws luq::error shape_mismatch unless there is one codec per layer, invalid_argument as require_valid()
inline void require_consistent(const plan& p) {
  if (p.codecs.size() != p.shape.size()) {
    fail(errc::shape_mismatch, "plan: expected ", p.shape.size(), " codecs, one per layer, got ", p.codecs.size());
  }
  require_valid(p.shape);
}

/// Exact bytes of one layer's linears under a codec.
[[nodiscard]] inline index layer_bytes(const layer_shape& layer, const any_codec& codec) {
  index total = 0;
  for (const auto& linear : layer) total += packed_bytes(codec, linear.rows, linear.cols);
  return total;
}

/// Exact bytes of one layer of a plan.
[[nodiscard]] inline index layer_bytes(const plan& p, std::size_t layer) {
  LUQ_ASSERT(layer < p.shape.size() && layer < p.codecs.size());
  return layer_bytes(p.shape[layer], p.codecs[layer]);
}

/// Exact bytes of all linears of a consistent plan.
[[nodiscard]] inline index total_bytes(const plan& p) {
  LUQ_ASSERT(p.codecs.size() == p.shape.size());
  index total = 0;
  for (std::size_t layer = 0; layer < p.shape.size(); ++layer) total += layer_bytes(p, layer);
  return total;
}

/// 8 * bytes / weights.
[[nodiscard]] inline double average_bits(const plan& p) {
  return 8.0 * static_cast<double>(total_bytes(p)) / static_cast<double>(weights_of(p.shape));
}

/// Average of nominal_bits() over weights: what the literature would call this plan. Print it beside average_bits().
[[nodiscard]] inline double average_nominal_bits(const plan& p) {
  LUQ_ASSERT(p.codecs.size() == p.shape.size());
  double bits = 0;
  for (std::size_t layer = 0; layer < p.shape.size(); ++layer) {
    bits += nominal_bits(p.codecs[layer]) * static_cast<double>(weights_of(p.shape[layer]));
  }
  return bits / static_cast<double>(weights_of(p.shape));
}

/// The share of `baseline`'s bytes that a plan saves: 0.4 for a file of 60 %, negative for a larger one.
[[nodiscard]] inline double saving(const plan& p, const plan& baseline) {
  return 1.0 - static_cast<double>(total_bytes(p)) / static_cast<double>(total_bytes(baseline));
}

/// Every layer under one codec.
/// @throws luq::error invalid_argument as require_valid()
[[nodiscard]] inline plan uniform_plan(const model_shape& shape, const any_codec& codec) {
  require_valid(shape);
  return {shape, std::vector<any_codec>(shape.size(), codec), "uniform " + codec_name(codec)};
}

}  // namespace luq
