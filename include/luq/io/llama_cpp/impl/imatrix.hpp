// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/llama_cpp/imatrix.hpp.
//
// IWYU pragma: private, include "luq/io/llama_cpp/imatrix.hpp"
#pragma once

#include "luq/io/llama_cpp/imatrix.hpp"

#include <algorithm>
#include <span>

#include "luq/core/assert.hpp"
#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/io/files/detail/printable.hpp"
#include "luq/io/gguf/ggml_type.hpp"
#include "luq/io/gguf/gguf_value.hpp"
#include "luq/io/gguf/gguf_writer.hpp"
#include "luq/io/llama_cpp/detail/gguf_weight_name.hpp"

namespace luq {

LUQ_INLINE imatrix_entry make_imatrix_entry(std::string_view module, const matrix_view& H, index tokens) {
  LUQ_ASSERT(H.rows() == H.cols());
  imatrix_entry entry{detail::gguf_weight_name(module), {}, tokens};
  for (index i = 0; i < H.rows(); ++i) {
    entry.in_sum2.push_back(static_cast<float>(0.5 * static_cast<double>(H(i, i)) * static_cast<double>(tokens)));
  }
  return entry;
}

LUQ_INLINE void write_imatrix(const std::filesystem::path& path, std::vector<imatrix_entry> entries,
                              const imatrix_origin& origin) {
  if (entries.empty()) fail(errc::invalid_argument, "imatrix: expected at least one entry");
  std::sort(entries.begin(), entries.end(),
            [](const imatrix_entry& a, const imatrix_entry& b) { return a.tensor < b.tensor; });
  std::vector<gguf_source> tensors;
  std::vector<float> counts;
  counts.reserve(entries.size());  // sources point into it
  for (const imatrix_entry& entry : entries) {
    if (entry.tokens < 1) fail(errc::insufficient_data, "imatrix: ", detail::in_quotes(entry.tensor), " has no tokens");
    for (const float sum : entry.in_sum2) {
      if (!is_finite(sum))
        fail(errc::non_finite, "imatrix: ", detail::in_quotes(entry.tensor), ": in_sum2 holds ", sum);
      if (sum < 0) fail(errc::invalid_argument, "imatrix: ", detail::in_quotes(entry.tensor), ": in_sum2 holds ", sum);
    }
    counts.push_back(static_cast<float>(entry.tokens));
    tensors.push_back({{entry.tensor + ".in_sum2", ggml_type::f32, {static_cast<index>(entry.in_sum2.size())}},
                       std::as_bytes(std::span(entry.in_sum2))});
    tensors.push_back({{entry.tensor + ".counts", ggml_type::f32, {1}}, std::as_bytes(std::span(&counts.back(), 1))});
  }
  write_gguf(path, tensors,
             {{"general.type", "imatrix"},
              {"imatrix.datasets", gguf_array(origin.datasets)},
              {"imatrix.chunk_count", origin.chunk_count},
              {"imatrix.chunk_size", origin.chunk_size}});
}

}  // namespace luq
