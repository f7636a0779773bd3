// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The order of the rows of query and key projections. Rotary embeddings turn pairs of features of a head of d rows:
//
//   halves (Hugging Face)    row j is paired with row j + d/2
//   neighbours (ggml)        row 2j is paired with row 2j + 1
//
// Models of ggml that pair neighbours, such as llama, hold the rows of every head in the order 0, d/2, 1, d/2 + 1, ...
// of Hugging Face's. A row moves whole, with its codes and scales, so blocks stay what they are.
//
// IWYU pragma: private, include "luq/io/llama_cpp/llama_cpp_model.hpp"
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

#include "luq/core/assert.hpp"
#include "luq/core/index.hpp"

namespace luq::detail {

/// The row of the order by halves that stands at `row` in the order by neighbours.
/// @param head_dim  d, even
[[nodiscard]] constexpr index row_by_halves(index row, index head_dim) {
  const index place = row % head_dim;
  return row - place + place / 2 + place % 2 * (head_dim / 2);
}

/// Rows of equal length, given by halves, in the order by neighbours.
/// @param rows  [rows x anything], whose number of rows is a multiple of head_dim
[[nodiscard]] inline std::vector<std::byte> rows_by_neighbours(std::span<const std::byte> data, index rows,
                                                               index head_dim) {
  LUQ_ASSERT(head_dim >= 2 && head_dim % 2 == 0 && rows >= head_dim && rows % head_dim == 0);
  LUQ_ASSERT(data.size() % static_cast<std::size_t>(rows) == 0);
  const std::size_t row_bytes = data.size() / static_cast<std::size_t>(rows);
  std::vector<std::byte> result(data.size());
  for (index row = 0; row < rows; ++row) {
    const auto source = static_cast<std::size_t>(row_by_halves(row, head_dim));
    std::memcpy(result.data() + static_cast<std::size_t>(row) * row_bytes, data.data() + source * row_bytes, row_bytes);
  }
  return result;
}

}  // namespace luq::detail
