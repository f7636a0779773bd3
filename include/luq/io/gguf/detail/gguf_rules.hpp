// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What readers and writers of GGUF files must both respect: the limits of ggml (gguf.cpp, ggml.h), which are wider than
// those of the format's text (docs/gguf.md of ggml), the rules of keys, names and shapes, and the size that follows from
// a type and a shape. A reader throws corrupt_file, a writer invalid_argument, so the code is the caller's.
//
// IWYU pragma: private, include "luq/io/gguf/gguf.hpp"
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "luq/core/error.hpp"
#include "luq/io/files/detail/printable.hpp"
#include "luq/io/gguf/ggml_type.hpp"
#include "luq/io/gguf/gguf_value.hpp"
#include "luq/io/tensors/detail/element_count.hpp"
#include "luq/io/tensors/tensor_info.hpp"

namespace luq {

/// What a GGUF file says about one tensor.
struct gguf_tensor_info {
  std::string name;
  ggml_type type = ggml_type::f32;
  std::vector<index> shape;  ///< extents, slowest first, [out, in]: the reverse of ggml's ne
  std::uint64_t begin = 0;   ///< first byte, counted from the beginning of the data
  std::uint64_t end = 0;     ///< one past the last byte; of a tensor of unknown type, one past its padding

  /// Number of elements, the product of the shape.
  [[nodiscard]] index size() const noexcept {
    return std::accumulate(shape.begin(), shape.end(), index{1}, std::multiplies<>());
  }

  [[nodiscard]] std::uint64_t bytes() const noexcept { return end - begin; }
};

namespace detail {

inline constexpr std::string_view gguf_magic = "GGUF";
inline constexpr std::uint32_t gguf_version = 3;  ///< what is written; version 2 is the same for little-endian files
inline constexpr std::string_view gguf_alignment_key = "general.alignment";
inline constexpr std::uint32_t gguf_default_alignment = 32;

inline constexpr std::uint64_t gguf_most_name_bytes = 63;                          // GGML_MAX_NAME, with its NUL
inline constexpr std::uint64_t gguf_most_string_bytes = std::uint64_t{1} << 30;    // GGUF_MAX_STRING_LENGTH
inline constexpr std::uint64_t gguf_most_array_elements = std::uint64_t{1} << 30;  // GGUF_MAX_ARRAY_ELEMENTS
inline constexpr std::size_t gguf_most_extents = 4;                                // GGML_MAX_DIMS
inline constexpr std::uint64_t gguf_least_entry_bytes = 8 + 1 + 4 + 1;             // "k" = u8
inline constexpr std::uint64_t gguf_least_tensor_bytes = 8 + 1 + 4 + 4 + 8;        // "t", without extents

/// The next multiple of an alignment. The sizes of files leave room for it.
[[nodiscard]] constexpr std::uint64_t padded(std::uint64_t size, std::uint64_t alignment) noexcept {
  return (size + alignment - 1) / alignment * alignment;
}

/// What is wrong with a key, or nothing.
[[nodiscard]] inline std::string gguf_key_fault(std::string_view key) {
  if (key.empty()) return "a key is empty";
  if (key.find('\0') != std::string_view::npos) return "key " + in_quotes(key) + " holds a zero byte";
  if (key.size() > gguf_most_string_bytes) {
    return "a key has " + std::to_string(key.size()) + " bytes, the limit is " + std::to_string(gguf_most_string_bytes);
  }
  return {};
}

/// What is wrong with a tensor's name, or nothing.
[[nodiscard]] inline std::string gguf_name_fault(std::string_view name) {
  if (name.empty()) return "a tensor has an empty name";
  if (name.size() > gguf_most_name_bytes) {
    return "tensor " + in_quotes(name) + ": the name has " + std::to_string(name.size()) + " bytes, the limit is 63";
  }
  if (std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; })) {
    return "tensor " + in_quotes(name) + ": the name holds a control character";
  }
  return {};
}

/// What is wrong with an alignment, or nothing.
[[nodiscard]] inline std::string gguf_alignment_fault(const gguf_value& value) {
  const auto* const alignment = std::get_if<std::uint32_t>(&value);
  const std::string expectation = std::string(gguf_alignment_key) + ": expected a u32 that is a power of two";
  if (alignment == nullptr) return expectation + ", got " + gguf_type_name(value);
  if (!std::has_single_bit(*alignment)) return expectation + ", got " + std::to_string(*alignment);
  return {};
}

/// Throws `code` unless the shape has at most 4 extents >= 0 with a product below 2^63 - 1, as ggml demands.
inline void check_gguf_shape(errc code, std::string_view source, std::string_view name,
                             const std::vector<index>& shape) {
  const auto refuse = [&](std::string_view reason) {
    fail(code, source, ": tensor ", in_quotes(name), ": the shape ", printable(shape_text(shape), 160), reason);
  };
  if (shape.size() > gguf_most_extents) refuse(" has more than 4 extents");
  if (std::any_of(shape.begin(), shape.end(), [](index extent) { return extent < 0; })) refuse(" is negative");
  const auto count = checked_element_count(shape);
  if (!count || *count == static_cast<std::uint64_t>((std::numeric_limits<index>::max)())) refuse(" overflows");
}

/// Bytes of a tensor of known type and checked shape; throws `code` for rows of broken blocks and beyond 2^63.
[[nodiscard]] inline std::uint64_t gguf_tensor_bytes(errc code, std::string_view source, std::string_view name,
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

/// Positions of elements in ascending order of their names, which must differ.
/// @param what  of the element, for the message
template <class Element, class Name>
[[nodiscard]] std::vector<std::size_t> positions_by_name(errc code, std::string_view source, std::string_view what,
                                                         const std::vector<Element>& elements, Name name) {
  std::vector<std::size_t> positions(elements.size());
  std::iota(positions.begin(), positions.end(), std::size_t{0});
  const auto name_at = [&](std::size_t position) -> const std::string& { return elements[position].*name; };
  std::sort(positions.begin(), positions.end(), [&](std::size_t a, std::size_t b) { return name_at(a) < name_at(b); });
  const auto twin = std::adjacent_find(positions.begin(), positions.end(),
                                       [&](std::size_t a, std::size_t b) { return name_at(a) == name_at(b); });
  if (twin != positions.end()) fail(code, source, ": duplicate ", what, " ", in_quotes(name_at(*twin)));
  return positions;
}

/// The element of that name, or null.
template <class Element, class Name>
[[nodiscard]] const Element* find_by_name(const std::vector<Element>& elements,
                                          const std::vector<std::size_t>& positions, Name name,
                                          std::string_view wanted) noexcept {
  const auto position =
      std::lower_bound(positions.begin(), positions.end(), wanted,
                       [&](std::size_t entry, std::string_view text) { return elements[entry].*name < text; });
  if (position == positions.end() || elements[*position].*name != wanted) return nullptr;
  return &elements[*position];
}

}  // namespace detail
}  // namespace luq
