// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// One factor per input column: T = diag(f), so W' = W diag(1/f) and Q T multiplies column c of Q by f_c. With f = 1/s
// it holds the scales s of AWQ (Lin et al., MLSys 2024), with f = alpha^c the column scales of ARB-LLM's row x column
// form (Li et al., ICLR 2025, section 3.3).
//
// Stored as one fp16 per column, | f_0 | f_1 | ... |, hence 16 / out bits a weight. It is f and not 1/f that is rounded
// and stored, and W is divided by what is stored: rounding costs nothing but a slightly different choice of f. Where
// the operation before the layer ends in a scale of its own (a norm's gain), f can be folded into it and costs nothing;
// here it is always counted.
#pragma once

#include <utility>
#include <vector>

#include "luq/codecs/input_transform.hpp"
#include "luq/codecs/transform_bytes.hpp"
#include "luq/core/compiled.hpp"
#include "luq/core/half.hpp"

namespace luq {

class input_scaling final : public input_transform {
 public:
  /// @param factors  f, one per input column; rounded to fp16
  /// @throws luq::error non_finite if a factor is not finite in fp16
  explicit input_scaling(std::span<const float> factors);

  /// All factors 1: T is the identity.
  explicit input_scaling(index in_features) : factors_(static_cast<std::size_t>(in_features), 1.0f) {}

  [[nodiscard]] index in_features() const override { return static_cast<index>(factors_.size()); }
  [[nodiscard]] std::string_view name() const override { return "scaling"; }

  /// f as stored.
  [[nodiscard]] std::span<const float> factors() const { return factors_; }

  [[nodiscard]] index bytes() const override { return transform_bytes(name(), in_features()); }

  void pack(std::span<std::byte> bytes) const override;

  /// @throws luq::error corrupt_file for another number of bytes or a factor that is not finite
  [[nodiscard]] static input_scaling unpack(index in_features, std::span<const std::byte> bytes);

  void transform_activations(mutable_matrix_view X, executor_ref executor = {}) const override;

  /// @throws luq::error invalid_argument if a factor is 0: no weight of that column can be stored
  void transform_weights(mutable_matrix_view W, executor_ref executor = {}) const override;

  void restore_weights(mutable_matrix_view W, executor_ref executor = {}) const override;

  void transform_hessian(mutable_matrix_view H, executor_ref executor = {}) const override;

  friend bool operator==(const input_scaling& a, const input_scaling& b) { return a.factors_ == b.factors_; }

 private:
  [[nodiscard]] Eigen::Map<const Eigen::Array<float, 1, Eigen::Dynamic>> row() const;

  void multiply_columns(mutable_matrix_view M, executor_ref executor) const;

  std::vector<float> factors_;  // each exactly an fp16
};

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/codecs/impl/input_scaling.hpp"
#endif
