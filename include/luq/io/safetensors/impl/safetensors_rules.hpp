// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/safetensors/detail/safetensors_rules.hpp.
//
// IWYU pragma: private, include "luq/io/safetensors/detail/safetensors_rules.hpp"
#pragma once

#include "luq/io/safetensors/detail/safetensors_rules.hpp"

#include <cstddef>
#include <limits>

#include "luq/core/compiled.hpp"
#include "luq/io/files/detail/printable.hpp"
#include "luq/io/tensors/detail/element_count.hpp"

namespace luq::detail {

LUQ_INLINE std::string tensor_name_fault(std::string_view name, index most_bytes) {
  if (name.empty()) return "a tensor has an empty name";
  if (name.size() > static_cast<std::size_t>(most_bytes)) {
    return "tensor " + in_quotes(name) + ": the name has " + std::to_string(name.size()) + " bytes, the limit is " +
           std::to_string(most_bytes);
  }
  for (const char character : name) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte < 0x20 || byte == 0x7f) return "tensor " + in_quotes(name) + ": the name holds a control character";
  }
  return {};
}

LUQ_INLINE std::uint64_t tensor_bytes(errc code, std::string_view source, std::string_view name, tensor_dtype dtype,
                                      const std::vector<index>& shape) {
  const auto count = checked_element_count(shape);
  if (!count || *count > (std::numeric_limits<std::uint64_t>::max)() / 64) {
    fail(code, source, ": tensor ", in_quotes(name), ": the size of shape ", printable(shape_text(shape), 160),
         " overflows");
  }
  const std::uint64_t bits = *count * dtype_bits(dtype);
  if (bits % 8 != 0) {
    fail(code, source, ": tensor ", in_quotes(name), ": ", *count, " elements of ", dtype_name(dtype),
         " are not a whole number of bytes");
  }
  return bits / 8;
}

}  // namespace luq::detail
