// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What quantizers know of the inputs of a linear layer: the Hessian H, the drift D, the mean magnitudes m, and what is
// derived from them once for all linears that share the inputs (q, k and v; gate and up): factors of H, and the same
// statistics of transformed inputs.
//
//   luq::linear_inputs inputs(in_features);
//   inputs.add(X);                                             // X [tokens x in], as often as there are batches
//   auto q = luq::quantize({W_q, inputs}, luq::int_codec<4>{}, luq::gptq{});
//   auto k = luq::quantize({W_k, inputs}, luq::int_codec<4>{}, luq::gptq{});   // no second factorisation
//
// Where memory is short, a linear that is only coded by column feedback can do with the factor alone, which is made in
// the memory of H:
//
//   const luq::factor_options options = luq::gptq{}.factor_options_of(/*group=*/128);
//   const luq::linear_inputs inputs(luq::factorize_in_order(std::move(seen).matrix(), options));
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "luq/codecs/input_transform.hpp"
#include "luq/core/compiled.hpp"
#include "luq/core/executor.hpp"
#include "luq/core/matrix_view.hpp"
#include "luq/estimators/hessian.hpp"
#include "luq/estimators/token_class.hpp"
#include "luq/quantizers/hessian_factor.hpp"

namespace luq {

/// The statistics of the inputs of a linear. Reading is safe from several threads at once; what is derived is made by
/// the first that asks for it, while others wait. References stay valid as long as the object lives and is not moved
/// from.
class linear_inputs {
 public:
  /// No token seen yet.
  explicit linear_inputs(index in_features);

  /// What an estimator has seen.
  explicit linear_inputs(hessian seen);

  /// H [in x in], symmetric, any positive multiple of sum_t x_t x_t^T.
  explicit linear_inputs(matrix H);

  /// A factor alone: H is not known.
  explicit linear_inputs(hessian_factor factor);

  /// H [in x in] in the caller's memory, which must outlive the object.
  [[nodiscard]] static linear_inputs borrow(const matrix_view& H);

  linear_inputs(linear_inputs&&) noexcept;
  linear_inputs& operator=(linear_inputs&&) noexcept;
  linear_inputs(const linear_inputs&) = delete;
  linear_inputs& operator=(const linear_inputs&) = delete;
  ~linear_inputs();

  /// Adds tokens X [tokens x in] to H and to the magnitudes.
  /// @throws luq::error shape_mismatch, non_finite naming the token; invalid_argument once H was read, or if it was
  ///   given
  void add(const matrix_view& X, executor_ref executor = {});

  /// Likewise the tokens that are not padding.
  void add(const matrix_view& X, std::span<const token_class> classes, executor_ref executor = {});

  /// D [in x in], input_drift::matrix(), in the scale of H. What was kept of transformed inputs is made anew, and
  /// references to that are no longer valid.
  /// @throws luq::error shape_mismatch, non_finite
  void set_drift(matrix D);

  /// The mean magnitude of each input, mean_magnitude::values(), where H was given.
  /// @throws luq::error shape_mismatch, invalid_argument for a magnitude that is not finite and >= 0
  void set_magnitudes(std::vector<float> magnitudes);

  [[nodiscard]] index in_features() const;

  /// H [in x in].
  /// @throws luq::error insufficient_data if no token was added, or if only a factor is known
  [[nodiscard]] matrix_view H() const;

  /// D [in x in], or null.
  [[nodiscard]] const matrix* drift() const;

  /// The mean magnitude of each input: as given or added, else sqrt(H_cc), which input_magnitude() makes of H.
  /// @throws luq::error as H()
  [[nodiscard]] std::vector<float> magnitudes() const;

  /// The factor of H for these options, made when it is first asked for; that which was given, whatever the options.
  /// @throws luq::error as H() and factorize_in_order()
  [[nodiscard]] const hessian_factor& factor(const factor_options& options, executor_ref executor = {}) const;

  /// The statistics of inputs T x: T H T^T and T D T^T. Kept for all who ask for an equal transform.
  /// @throws luq::error as H(), shape_mismatch for a transform of another number of inputs
  [[nodiscard]] const linear_inputs& transformed(const input_transform& transform, executor_ref executor = {}) const;

  /// The same, not kept.
  [[nodiscard]] linear_inputs transformed_once(const input_transform& transform, executor_ref executor = {}) const;

  /// How many factors were made, those of transformed inputs that are kept included.
  [[nodiscard]] int factorizations() const;

 private:
  struct state;

  explicit linear_inputs(std::unique_ptr<state> known);

  std::unique_ptr<state> state_;
};

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/quantizers/impl/linear_inputs.hpp"
#endif
