// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/gguf/detail/gguf_rules.hpp.
//
// IWYU pragma: private, include "luq/io/gguf/detail/gguf_rules.hpp"
#pragma once

#include "luq/io/gguf/detail/gguf_rules.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <variant>

#include "luq/core/compiled.hpp"
#include "luq/io/files/detail/printable.hpp"
#include "luq/io/tensors/detail/element_count.hpp"
#include "luq/io/tensors/tensor_info.hpp"

namespace luq::detail {

LUQ_INLINE std::string gguf_key_fault(std::string_view key) {
  if (key.empty()) return "a key is empty";
  if (key.find('\0') != std::string_view::npos) return "key " + in_quotes(key) + " holds a zero byte";
  if (key.size() > gguf_most_string_bytes) {
    return "a key has " + std::to_string(key.size()) + " bytes, the limit is " + std::to_string(gguf_most_string_bytes);
  }
  return {};
}

LUQ_INLINE std::string gguf_name_fault(std::string_view name) {
  if (name.empty()) return "a tensor has an empty name";
  if (name.size() > gguf_most_name_bytes) {
    return "tensor " + in_quotes(name) + ": the name has " + std::to_string(name.size()) + " bytes, the limit is 63";
  }
  if (std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; })) {
    return "tensor " + in_quotes(name) + ": the name holds a control character";
  }
  return {};
}

LUQ_INLINE std::string gguf_alignment_fault(const gguf_value& value) {
  const auto* const alignment = std::get_if<std::uint32_t>(&value);
  const std::string expectation = std::string(gguf_alignment_key) + ": expected a u32 that is a power of two";
  if (alignment == nullptr) return expectation + ", got " + gguf_type_name(value);
  if (!std::has_single_bit(*alignment)) return expectation + ", got " + std::to_string(*alignment);
  return {};
}

LUQ_INLINE void check_gguf_shape(errc code, std::string_view source, std::string_view name,
                                 const std::vector<index>& shape) {
  const auto refuse = [&](std::string_view reason) {
    fail(code, source, ": tensor ", in_quotes(name), ": the shape ", printable(shape_text(shape), 160), reason);
  };
  if (shape.size() > gguf_most_extents) refuse(" has more than 4 extents");
  if (std::any_of(shape.begin(), shape.end(), [](index extent) { return extent < 0; })) refuse(" is negative");
  const auto count = checked_element_count(shape);
  if (!count || *count == static_cast<std::uint64_t>((std::numeric_limits<index>::max)())) refuse(" overflows");
}

LUQ_INLINE std::uint64_t gguf_tensor_bytes(errc code, std::string_view source, std::string_view name,
                                           const ggml_type_facts& facts, const std::vector<index>& shape) {
  const auto row = shape.empty() ? std::uint64_t{1} : static_cast<std::uint64_t>(shape.back());
  if (row % facts.block_weights != 0) {
    fail(code, source, ": tensor ", in_quotes(name), ": rows of ", row, " weights are not a multiple of ",
         facts.block_weights, ", the block of ", facts.name);
  }
  const std::uint64_t blocks = *checked_element_count(shape) / facts.block_weights;
  if (blocks > (std::uint64_t{1} << 63) / facts.block_bytes) {
    fail(code, source, ": tensor ", in_quotes(name), ": the bytes of ", facts.name, " ",
         printable(shape_text(shape), 160), " overflow");
  }
  return blocks * facts.block_bytes;
}

}  // namespace luq::detail
