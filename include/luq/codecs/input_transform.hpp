// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What an input transform is: a cheap invertible linear map T of a layer's inputs, so that a method can store the
// weights of transformed inputs instead of the weights themselves,
//
//   W x = W' (T x),   W' = W T^-1,   H' = T H T^T,   stored Q for W'   =>   decoded in the original basis: Q T
//
// A transform is applied to every activation at run time; what it takes to restore it is stored behind the codes of
// the packed matrix and counted in its bits. It says nothing about how codes are chosen: any codec and any quantizer
// work on (W', H'), and the output error of Q under H' is that of Q T under H.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "luq/core/error.hpp"
#include "luq/core/executor.hpp"
#include "luq/core/index.hpp"
#include "luq/core/matrix_view.hpp"

namespace luq {

/// A transform of `in_features()` inputs. Rows of a matrix are independent and each is a task of the executor, so
/// results are the same bits on any of them. A matrix of another number of columns is a caller's bug.
class input_transform {
 public:
  virtual ~input_transform() = default;

  [[nodiscard]] virtual index in_features() const = 0;

  /// The name of its stored form in files and messages, one word: "hadamard", "scaling".
  [[nodiscard]] virtual std::string_view name() const = 0;

  /// Stored bytes.
  [[nodiscard]] virtual index bytes() const = 0;

  /// Writes bytes() bytes, from which an equal transform can be restored.
  virtual void pack(std::span<std::byte> bytes) const = 0;

  /// Each row x of X [tokens x in] becomes T x.
  virtual void transform_activations(mutable_matrix_view X, executor_ref executor = {}) const = 0;

  /// W [out x in] becomes W T^-1.
  virtual void transform_weights(mutable_matrix_view W, executor_ref executor = {}) const = 0;

  /// W [out x in] becomes W T, the inverse of transform_weights().
  virtual void restore_weights(mutable_matrix_view W, executor_ref executor = {}) const = 0;

  /// The symmetric H [in x in] becomes T H T^T, symmetric to the last bit.
  virtual void transform_hessian(mutable_matrix_view H, executor_ref executor = {}) const = 0;

 protected:
  input_transform() = default;
  input_transform(const input_transform&) = default;
  input_transform(input_transform&&) = default;
  input_transform& operator=(const input_transform&) = default;
  input_transform& operator=(input_transform&&) = default;
};

/// A transform that matrices share; null where inputs are taken as they are.
using shared_transform = std::shared_ptr<const input_transform>;

/// For formats that know no transforms.
/// @param where  names the format
/// @throws luq::error unsupported if there is one
inline void require_no_transform(const shared_transform& transform, std::string_view where) {
  if (!transform) return;
  fail(errc::unsupported, where, ": expected inputs as they are, got the transform ", transform->name());
}

}  // namespace luq
