// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What readers and writers of GGUF files must both respect: the limits of ggml (gguf.cpp, ggml.h), which are wider than
// those of the format's text (docs/gguf.md of ggml), the rules of keys, names and shapes, and the size that follows
// from a type and a shape. A reader throws corrupt_file, a writer invalid_argument, so the code is the caller's.
//
// IWYU pragma: private, include "luq/io/gguf/gguf.hpp"
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "luq/core/error.hpp"
#include "luq/core/index.hpp"
#include "luq/io/gguf/ggml_type.hpp"
#include "luq/io/gguf/gguf_value.hpp"

namespace luq::detail {

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
[[nodiscard]] std::string gguf_key_fault(std::string_view key);

/// What is wrong with a tensor's name, or nothing.
[[nodiscard]] std::string gguf_name_fault(std::string_view name);

/// What is wrong with an alignment, or nothing.
[[nodiscard]] std::string gguf_alignment_fault(const gguf_value& value);

/// Throws `code` unless the shape has at most 4 extents >= 0 with a product below 2^63 - 1, as ggml demands.
void check_gguf_shape(errc code, std::string_view source, std::string_view name, const std::vector<index>& shape);

/// Bytes of a tensor of known type and checked shape; throws `code` for rows of broken blocks and beyond 2^63.
[[nodiscard]] std::uint64_t gguf_tensor_bytes(errc code, std::string_view source, std::string_view name,
                                              const ggml_type_facts& facts, const std::vector<index>& shape);

}  // namespace luq::detail

#ifndef LUQ_COMPILED
#include "luq/io/gguf/impl/gguf_rules.hpp"
#endif
