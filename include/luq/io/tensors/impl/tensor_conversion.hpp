// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/tensors/detail/tensor_conversion.hpp.
//
// IWYU pragma: private, include "luq/io/tensors/detail/tensor_conversion.hpp"
#pragma once

#include "luq/io/tensors/detail/tensor_conversion.hpp"

#include "luq/core/compiled.hpp"

namespace luq::detail {

LUQ_INLINE std::optional<std::size_t> convert_to_floats(tensor_dtype dtype, const std::byte* source,
                                                        std::span<float> target) {
  std::optional<std::size_t> overflow;
  visit_dtype(dtype, [&]<class T>(T) {
    if constexpr (std::is_same_v<T, float> && std::endian::native == std::endian::little) {
      if (!target.empty()) std::memcpy(target.data(), source, target.size_bytes());
    } else if constexpr (!std::is_integral_v<T>) {
      for (std::size_t i = 0; i < target.size(); ++i) {
        const T value = load_little_endian<T>(source + i * sizeof(T));
        if constexpr (std::is_same_v<T, double>) {
          if (overflows_float(value)) {
            overflow = i;
            return true;
          }
        }
        target[i] = static_cast<float>(value);
      }
    }
    return true;
  });
  return overflow;
}

}  // namespace luq::detail
