// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "luq/core/assert.hpp"
#include "luq/core/error.hpp"
#include "luq/policy/weight_storage.hpp"

namespace luq {

LUQ_INLINE std::string storage_name(const weight_storage& storage) {
  const auto* const how = std::get_if<recipe>(&storage);
  return how != nullptr ? stored_name(*how) : std::get<block_format>(storage).name;
}

LUQ_INLINE bool is_plain(const weight_storage& storage) {
  const auto* const blocks = std::get_if<block_format>(&storage);
  return blocks != nullptr && blocks->plain();
}

LUQ_INLINE index storage_bytes(const weight_storage& storage, index rows, index cols, std::string_view what) {
  LUQ_ASSERT(rows >= 1 && cols >= 1);
  if (const auto* const how = std::get_if<recipe>(&storage)) return packed_bytes(*how, rows, cols);
  const auto& blocks = std::get<block_format>(storage);
  LUQ_ASSERT(blocks.weights >= 1 && blocks.bytes >= 1);
  if (cols % blocks.weights != 0) {
    fail(errc::unsupported, what, ": ", cols, " columns are no multiple of ", blocks.weights, ", the block of ",
         blocks.name);
  }
  return rows * (cols / blocks.weights) * blocks.bytes;
}

LUQ_INLINE double nominal_storage_bits(const weight_storage& storage) {
  if (const auto* const how = std::get_if<recipe>(&storage)) return nominal_bits(how->codec);
  const auto& blocks = std::get<block_format>(storage);
  return 8.0 * static_cast<double>(blocks.bytes) / static_cast<double>(blocks.weights);
}

}  // namespace luq
