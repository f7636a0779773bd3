// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "luq/policy/detail/linears_by_name.hpp"

namespace luq::detail {

LUQ_INLINE void sort_by_name(layer_shape& layer) {
  std::sort(layer.begin(), layer.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
}

}  // namespace luq::detail
