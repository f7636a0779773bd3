// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The number of elements of a shape that a file states.
//
// IWYU pragma: private, include "luq/io/tensors/tensor_info.hpp"
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "luq/core/index.hpp"

namespace luq::detail {

/// Number of elements, or nothing if the product, taken from the left, exceeds `index`.
[[nodiscard]] inline std::optional<std::uint64_t> checked_element_count(const std::vector<index>& shape) noexcept {
  constexpr auto largest = static_cast<std::uint64_t>((std::numeric_limits<index>::max)());
  std::uint64_t product = 1;
  for (const index extent : shape) {
    const auto factor = static_cast<std::uint64_t>(extent);
    if (factor != 0 && product > largest / factor) return std::nullopt;
    product *= factor;
  }
  return product;
}

}  // namespace luq::detail
