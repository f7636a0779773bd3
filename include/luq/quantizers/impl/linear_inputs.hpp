// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Statistics of inputs, and what is made of them when it is first asked for.
#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "luq/core/all_finite.hpp"
#include "luq/core/error.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/estimators/mean_magnitude.hpp"
#include "luq/quantizers/linear_inputs.hpp"

namespace luq {

namespace detail {

inline void require_square_hessian(const matrix_view& H) {
  if (H.rows() != H.cols()) {
    fail(errc::shape_mismatch, "Hessian: expected a square matrix, got ", H.rows(), " x ", H.cols());
  }
}

[[noreturn]] inline void refuse_without_tokens(index in_features) {
  fail(errc::insufficient_data, "Hessian of ", in_features, " inputs: no token was added to it");
}

}  // namespace detail

struct linear_inputs::state {
  struct made_factor {
    factor_options options;
    hessian_factor factor;
  };
  struct made_transform {
    std::string name;
    std::vector<std::byte> bytes;
    linear_inputs inputs;
  };

  index in_features = 0;
  std::optional<hessian> seen;  // until H is first read
  std::optional<mean_magnitude> added_magnitudes;
  matrix H;
  const float* borrowed = nullptr;  // H, if it is the caller's
  index stride = 0;
  std::optional<hessian_factor> given_factor;
  std::optional<matrix> drift;
  std::vector<float> magnitudes;

  std::mutex making;  // of H and of factors
  std::vector<std::unique_ptr<made_factor>> factors;
  int factorizations = 0;
  std::mutex transforming;  // taken before `making`
  std::vector<std::unique_ptr<made_transform>> transforms;

  /// H, made of what was seen; `making` is held.
  [[nodiscard]] matrix_view finished() {
    if (given_factor) fail(errc::insufficient_data, "inputs: expected a Hessian, got a factor alone");
    if (borrowed != nullptr) return view(borrowed, in_features, in_features, stride);
    if (seen) {
      if (seen->tokens() == 0) detail::refuse_without_tokens(in_features);
      H = std::move(*seen).matrix();
      seen.reset();
    }
    return H;
  }

  [[nodiscard]] hessian& accumulator() {
    if (!seen) fail(errc::invalid_argument, "inputs: expected tokens before the Hessian is given or read");
    return *seen;
  }
};

LUQ_INLINE linear_inputs::linear_inputs(std::unique_ptr<state> known) : state_(std::move(known)) {}

LUQ_INLINE linear_inputs::linear_inputs(index in_features) : linear_inputs(hessian(in_features)) {
  state_->added_magnitudes.emplace(in_features);
}

LUQ_INLINE linear_inputs::linear_inputs(hessian seen) : state_(std::make_unique<state>()) {
  state_->in_features = seen.in_features();
  state_->seen.emplace(std::move(seen));
}

LUQ_INLINE linear_inputs::linear_inputs(matrix H) : state_(std::make_unique<state>()) {
  detail::require_square_hessian(H);
  state_->in_features = H.cols();
  state_->H = std::move(H);
}

LUQ_INLINE linear_inputs::linear_inputs(hessian_factor factor) : state_(std::make_unique<state>()) {
  state_->in_features = factor.U.cols();
  state_->given_factor.emplace(std::move(factor));
}

LUQ_INLINE linear_inputs linear_inputs::borrow(const matrix_view& H) {
  detail::require_square_hessian(H);
  if (H.size() == 0) return linear_inputs(matrix(H));
  auto known = std::make_unique<state>();
  known->in_features = H.cols();
  known->borrowed = H.data();
  known->stride = H.outerStride();
  return linear_inputs(std::move(known));
}

LUQ_INLINE linear_inputs::linear_inputs(linear_inputs&&) noexcept = default;
LUQ_INLINE linear_inputs& linear_inputs::operator=(linear_inputs&&) noexcept = default;
LUQ_INLINE linear_inputs::~linear_inputs() = default;

LUQ_INLINE void linear_inputs::add(const matrix_view& X, executor_ref executor) {
  const std::lock_guard lock(state_->making);
  state_->accumulator().add(X, executor);
  if (state_->added_magnitudes) state_->added_magnitudes->add(X, executor);
}

LUQ_INLINE void linear_inputs::add(const matrix_view& X, std::span<const token_class> classes, executor_ref executor) {
  const std::lock_guard lock(state_->making);
  state_->accumulator().add(X, classes, executor);
  if (state_->added_magnitudes) state_->added_magnitudes->add(X, classes, executor);
}

LUQ_INLINE void linear_inputs::set_drift(matrix D) {
  if (D.rows() != in_features() || D.cols() != in_features()) {
    fail(errc::shape_mismatch, "input drift: expected ", in_features(), " x ", in_features(), ", got ", D.rows(), " x ",
         D.cols());
  }
  if (!all_finite(D)) fail(errc::non_finite, "input drift: expected finite entries, got a NaN or infinity");
  const std::lock_guard lock(state_->transforming);
  state_->transforms.clear();
  state_->drift.emplace(std::move(D));
}

LUQ_INLINE void linear_inputs::set_magnitudes(std::vector<float> magnitudes) {
  if (static_cast<index>(magnitudes.size()) != in_features()) {
    fail(errc::shape_mismatch, "input magnitudes: expected ", in_features(), ", got ", magnitudes.size());
  }
  for (std::size_t c = 0; c < magnitudes.size(); ++c) {
    if (!is_finite(magnitudes[c]) || magnitudes[c] < 0.0f) {
      fail(errc::invalid_argument, "input magnitudes: expected finite numbers >= 0, got ", magnitudes[c], " for input ",
           c);
    }
  }
  state_->magnitudes = std::move(magnitudes);
}

LUQ_INLINE index linear_inputs::in_features() const {
  return state_->in_features;
}

LUQ_INLINE matrix_view linear_inputs::H() const {
  const std::lock_guard lock(state_->making);
  return state_->finished();
}

LUQ_INLINE const matrix* linear_inputs::drift() const {
  return state_->drift ? &*state_->drift : nullptr;
}

LUQ_INLINE std::vector<float> linear_inputs::magnitudes() const {
  if (!state_->magnitudes.empty()) return state_->magnitudes;
  if (!state_->added_magnitudes) return input_magnitude(H());
  if (state_->added_magnitudes->tokens() == 0) detail::refuse_without_tokens(in_features());
  return state_->added_magnitudes->values();
}

LUQ_INLINE const hessian_factor& linear_inputs::factor(const factor_options& options, executor_ref executor) const {
  const std::lock_guard lock(state_->making);
  if (state_->given_factor) return *state_->given_factor;
  for (const auto& made : state_->factors) {
    const bool same_groups = options.order != column_order::group_aware || made->options.group == options.group;
    if (made->options.order == options.order && same_groups && made->options.damping == options.damping) {
      return made->factor;
    }
  }
  matrix H = state_->finished();
  state_->factors.push_back(std::make_unique<state::made_factor>(
      state::made_factor{options, factorize_in_order(std::move(H), options, executor)}));
  ++state_->factorizations;
  return state_->factors.back()->factor;
}

LUQ_INLINE linear_inputs linear_inputs::transformed_once(const input_transform& transform,
                                                         executor_ref executor) const {
  if (transform.in_features() != in_features()) {
    fail(errc::shape_mismatch, "input transform ", transform.name(), ": expected ", in_features(), " inputs, got ",
         transform.in_features());
  }
  matrix turned = H();
  transform.transform_hessian(turned, executor);
  linear_inputs result(std::move(turned));
  if (drift() != nullptr) {
    matrix half = *drift();
    transform.transform_activations(half, executor);  // D T^T
    matrix both = half.transpose();
    transform.transform_activations(both, executor);  // T D^T T^T
    half = both.transpose();
    result.set_drift(std::move(half));
  }
  return result;
}

LUQ_INLINE const linear_inputs& linear_inputs::transformed(const input_transform& transform,
                                                           executor_ref executor) const {
  std::vector<std::byte> bytes(static_cast<std::size_t>(transform.bytes()));
  transform.pack(bytes);
  const std::lock_guard lock(state_->transforming);
  for (const auto& made : state_->transforms) {
    if (made->name == transform.name() && made->bytes == bytes) return made->inputs;
  }
  state_->transforms.push_back(std::make_unique<state::made_transform>(
      state::made_transform{std::string(transform.name()), std::move(bytes), transformed_once(transform, executor)}));
  return state_->transforms.back()->inputs;
}

LUQ_INLINE int linear_inputs::factorizations() const {
  const std::lock_guard transforms_lock(state_->transforming);
  const std::lock_guard lock(state_->making);
  int count = state_->factorizations;
  for (const auto& made : state_->transforms) count += made->inputs.factorizations();
  return count;
}

}  // namespace luq
