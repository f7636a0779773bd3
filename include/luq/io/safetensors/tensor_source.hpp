// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What writers of safetensors files are told of a tensor.
#pragma once

#include <bit>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "luq/core/index.hpp"
#include "luq/io/tensors/tensor_info.hpp"

namespace luq {

/// A tensor to be written, without its data.
struct tensor_declaration {
  std::string name;            ///< 1 to 1024 bytes of UTF-8 without control characters, not "__metadata__"
  tensor_dtype dtype;          ///< any but unknown
  std::vector<index> shape{};  ///< extents >= 0, slowest first; {} is a scalar
};

/// A tensor to be written, with its data in the caller's memory.
struct tensor_source {
  tensor_declaration declaration;
  std::span<const std::byte> data;  ///< row-major, little-endian
};

/// A tensor source over an array of T. Must be outlived by `elements`; needs a little-endian machine.
template <class T>
[[nodiscard]] tensor_source make_tensor_source(std::string name, std::vector<index> shape,
                                               std::span<const T> elements) {
  static_assert(std::endian::native == std::endian::little);
  static_assert(dtype_of<T>() != tensor_dtype::unknown);
  return {{std::move(name), dtype_of<T>(), std::move(shape)}, std::as_bytes(elements)};
}

}  // namespace luq
