// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What readers of safetensors files bear, so that a file that was made to harm them is refused before it takes memory.
#pragma once

#include <cstdint>

#include "luq/core/index.hpp"

namespace luq {

/// What a safetensors file may demand of its reader.
struct safetensors_limits {
  std::uint64_t header_bytes = 100'000'000;  ///< length of the JSON header, the reference implementation's limit
  index tensors = 1'000'000;  ///< entries in one file; the largest models have some 1e5 in all files together
  index rank = 64;            ///< extents in a shape, PyTorch's and NumPy's limit
  index name_bytes = 1024;    ///< length of a tensor's name
};

}  // namespace luq
