// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/tensors/tensor_info.hpp.
//
// IWYU pragma: private, include "luq/io/tensors/tensor_info.hpp"
#pragma once

#include "luq/io/tensors/tensor_info.hpp"

#include "luq/core/compiled.hpp"

namespace luq {

LUQ_INLINE std::string shape_text(const std::vector<index>& shape) {
  std::string text = "[";
  for (const index extent : shape) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(extent);
  }
  return text + "]";
}

}  // namespace luq
