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

#include <cstring>
#include <utility>
#include <vector>

#include "luq/codecs/input_transform.hpp"
#include "luq/core/error.hpp"
#include "luq/core/half.hpp"
#include "luq/core/is_finite.hpp"

namespace luq {

class input_scaling {
 public:
  /// @param factors  f, one per input column; rounded to fp16
  /// @throws luq::error non_finite if a factor is not finite in fp16
  explicit input_scaling(std::span<const float> factors) : factors_(factors.begin(), factors.end()) {
    for (std::size_t c = 0; c < factors_.size(); ++c) {
      factors_[c] = static_cast<float>(half(factors[c]));
      if (!is_finite(factors_[c])) {
        fail(errc::non_finite, "input scaling: expected factors that are finite in fp16, got ", factors[c],
             " for column ", c);
      }
    }
  }

  /// All factors 1: T is the identity.
  explicit input_scaling(index in_features) : factors_(static_cast<std::size_t>(in_features), 1.0f) {}

  [[nodiscard]] index in_features() const { return static_cast<index>(factors_.size()); }
  [[nodiscard]] std::string name() const { return "scaling"; }

  /// f as stored.
  [[nodiscard]] std::span<const float> factors() const { return factors_; }

  [[nodiscard]] index bytes() const { return in_features() * static_cast<index>(sizeof(half)); }

  void pack(std::span<std::byte> bytes) const {
    LUQ_ASSERT(static_cast<index>(bytes.size()) == this->bytes());
    for (std::size_t c = 0; c < factors_.size(); ++c) {
      const half stored(factors_[c]);
      std::memcpy(bytes.data() + c * sizeof(half), &stored, sizeof(half));
    }
  }

  /// @throws luq::error corrupt_file for another number of bytes or a factor that is not finite
  [[nodiscard]] static input_scaling unpack(index in_features, std::span<const std::byte> bytes) {
    input_scaling result(in_features);
    if (static_cast<index>(bytes.size()) != result.bytes()) {
      fail(errc::corrupt_file, "input scaling of ", in_features, " columns: expected ", result.bytes(), " bytes, got ",
           bytes.size());
    }
    for (std::size_t c = 0; c < result.factors_.size(); ++c) {
      half stored;
      std::memcpy(&stored, bytes.data() + c * sizeof(half), sizeof(half));
      result.factors_[c] = static_cast<float>(stored);
      if (!is_finite(result.factors_[c])) {
        fail(errc::corrupt_file, "input scaling: expected finite factors, got ", result.factors_[c], " for column ", c);
      }
    }
    return result;
  }

  void transform_activations(mutable_matrix_view X, executor_ref executor = {}) const {
    multiply_columns(X, executor);
  }

  /// @throws luq::error invalid_argument if a factor is 0: no weight of that column can be stored
  void transform_weights(mutable_matrix_view W, executor_ref executor = {}) const {
    LUQ_ASSERT(W.cols() == in_features());
    for (std::size_t c = 0; c < factors_.size(); ++c) {
      if (factors_[c] == 0.0f) {
        fail(errc::invalid_argument, "input scaling: cannot divide weights by the factor 0 of column ", c);
      }
    }
    executor.parallel_for(W.rows(), [&](index r) { W.row(r).array() /= row(); });
  }

  void restore_weights(mutable_matrix_view W, executor_ref executor = {}) const {
    multiply_columns(W, executor);
  }

  void transform_hessian(mutable_matrix_view H, executor_ref executor = {}) const {
    LUQ_ASSERT(H.rows() == in_features() && H.cols() == in_features());
    // (f_r f_c) H_rc, in this order, so that the mirrored element is the same bits.
    executor.parallel_for(H.rows(),
                          [&](index r) { H.row(r).array() *= row() * factors_[static_cast<std::size_t>(r)]; });
  }

  friend bool operator==(const input_scaling&, const input_scaling&) = default;

 private:
  [[nodiscard]] Eigen::Map<const Eigen::Array<float, 1, Eigen::Dynamic>> row() const {
    return {factors_.data(), in_features()};
  }

  void multiply_columns(mutable_matrix_view M, executor_ref executor) const {
    LUQ_ASSERT(M.cols() == in_features());
    executor.parallel_for(M.rows(), [&](index r) { M.row(r).array() *= row(); });
  }

  std::vector<float> factors_;  // each exactly an fp16
};

static_assert(InputTransform<input_scaling>);

}  // namespace luq
