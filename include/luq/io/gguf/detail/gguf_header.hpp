// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Everything of a GGUF file but the data of its tensors, parsed and checked (layout: gguf.hpp). Works on bytes in
// memory and keeps none of them, so it can be tested and fuzzed without files.
//
// Checked: magic and version; counts, lengths and array sizes fit into the bytes that are left before anything is
// allocated for them, and respect ggml's limits; keys and names obey their rules and occur once; value types exist; the
// alignment; tensors have at most 4 extents >= 0 whose product stays below 2^63 and whole blocks in each row; the data
// of each begin where those of the one before end, padded to the alignment; and the file does not end before the last
// tensor does. The content of padding is not looked at, nor what is behind the last tensor.
//
// A tensor of unknown type has unknown size. The next tensor then says where it ends: at an aligned place behind its
// beginning, from where sums are checked again; the last tensor ends with the file.
//
// Memory stays below some twenty times the length of what is parsed.
//
// IWYU pragma: private, include "luq/io/gguf/gguf.hpp"
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "luq/io/gguf/detail/gguf_rules.hpp"
#include "luq/io/gguf/gguf_tensor_info.hpp"
#include "luq/io/gguf/gguf_value.hpp"

namespace luq::detail {

/// A checked header.
struct gguf_header {
  std::uint32_t version = 0;
  std::uint64_t alignment = gguf_default_alignment;
  std::vector<gguf_entry> entries;  ///< in the order of the file
  std::vector<std::size_t> entries_by_key;
  std::vector<gguf_tensor_info> tensors;  ///< in the order of the file, which is that of their data
  std::vector<std::size_t> tensors_by_name;
  std::uint64_t data_begin = 0;  ///< offset of the data in the file
};

/// Parses and checks a file given as a whole.
[[nodiscard]] gguf_header parse_gguf_header(std::span<const std::byte> file, std::string_view source);

}  // namespace luq::detail

#ifndef LUQ_COMPILED
#include "luq/io/gguf/impl/gguf_header.hpp"
#endif
