// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What a GGUF file says about one tensor: its name, type, shape and place.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "luq/core/index.hpp"
#include "luq/io/gguf/ggml_type.hpp"

namespace luq {

/// One entry of a header.
struct gguf_tensor_info {
  std::string name;
  ggml_type type = ggml_type::f32;
  std::vector<index> shape;  ///< extents, slowest first, [out, in]: the reverse of ggml's ne
  std::uint64_t begin = 0;   ///< first byte, counted from the beginning of the data
  std::uint64_t end = 0;     ///< one past the last byte; of a tensor of unknown type, one past its padding

  /// Number of elements, the product of the shape.
  [[nodiscard]] index size() const noexcept {
    index product = 1;
    for (const index extent : shape) product *= extent;
    return product;
  }

  [[nodiscard]] std::uint64_t bytes() const noexcept { return end - begin; }
};

}  // namespace luq
