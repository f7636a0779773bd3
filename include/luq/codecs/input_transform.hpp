// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What an input transform is: a cheap invertible linear map T of a layer's inputs, so that a method can store the
// weights of transformed inputs instead of the weights themselves,
//
//   W x = W' (T x),   W' = W T^-1,   H' = T H T^T,   stored Q for W'   =>   decoded in the original basis: Q T
//
// A transform is applied to every activation at run time; what it takes to restore it is stored beside the packed
// matrix and counted in its bits. It says nothing about how codes are chosen: any codec and any quantizer work on
// (W', H'), and the output error of Q under H' is that of Q T under H.
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <string>

#include "luq/core/executor.hpp"
#include "luq/core/matrix_view.hpp"

namespace luq {

/// Requirements. Rows are independent and each is a task of the executor, so results are the same bits on any of them.
///  - `in_features()`: columns of the matrices it takes; other shapes are a caller's bug.
///  - `name()`: text form of its kind and options, without what bytes() holds.
///  - `bytes()`: stored bytes; `pack` writes that many, and `T::unpack(in_features, bytes)` restores an equal transform
///    or throws luq::error corrupt_file.
///  - `transform_activations(X)`: each row x of X [tokens x in] becomes T x.
///  - `transform_weights(W)`: W [out x in] becomes W T^-1.
///  - `restore_weights(W)`: W [out x in] becomes W T, the inverse of the above.
///  - `transform_hessian(H)`: the symmetric H [in x in] becomes T H T^T, symmetric to the last bit.
template <class T>
concept InputTransform =
    std::copy_constructible<T> && std::equality_comparable<T> &&
    requires(const T transform, mutable_matrix_view M, std::span<std::byte> bytes,
             std::span<const std::byte> const_bytes, index in_features, const serial_executor& executor) {
      { transform.in_features() } -> std::same_as<index>;
      { transform.name() } -> std::same_as<std::string>;
      { transform.bytes() } -> std::same_as<index>;
      transform.pack(bytes);
      { T::unpack(in_features, const_bytes) } -> std::same_as<T>;
      transform.transform_activations(M, executor);
      transform.transform_weights(M, executor);
      transform.restore_weights(M, executor);
      transform.transform_hessian(M, executor);
    };

}  // namespace luq
