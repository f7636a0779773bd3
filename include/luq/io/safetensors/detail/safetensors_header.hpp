// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The header of a safetensors file, parsed and checked against everything that the format demands. Works on bytes in
// memory and keeps none of them, so it can be tested and fuzzed without files.
//
// Checked, in this order: the file has 8 bytes; the header length respects its limit and the file's size; the header
// begins with '{'; JSON without duplicate keys at any level; a tensor entry has exactly dtype, shape and data_offsets;
// integers are written as such and at most 2^53 - 1; metadata maps strings to strings; names obey their rule; the data
// of the tensors, in order of their offsets, follow one another without a hole or an overlap; each has the size that
// its shape and type give; the file ends where the last tensor ends.
//
// Memory stays below some twelve times the length of the header, whatever it holds.
//
// IWYU pragma: private, include "luq/io/safetensors/safetensors.hpp"
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "luq/io/safetensors/safetensors_limits.hpp"
#include "luq/io/tensors/tensor_info.hpp"

namespace luq::detail {

/// A checked header.
struct safetensors_header {
  std::map<std::string, std::string> metadata;
  std::vector<tensor_info> tensors;  ///< in the order of their data
  std::vector<std::size_t> by_name;  ///< positions in `tensors`, in ascending order of names
  std::uint64_t data_begin = 0;      ///< offset of the first tensor's data in the file
};

/// Parses and checks the header of a file given as a whole.
[[nodiscard]] safetensors_header parse_safetensors_header(std::span<const std::byte> file, std::string_view source,
                                                          const safetensors_limits& limits);

}  // namespace luq::detail

#ifndef LUQ_COMPILED
#include "luq/io/safetensors/impl/safetensors_header.hpp"
#endif
