// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/gptq/gptq_safetensors.hpp.
//
// IWYU pragma: private, include "luq/io/gptq/gptq_safetensors.hpp"
#pragma once

#include "luq/io/gptq/gptq_safetensors.hpp"

#include <array>
#include <bit>
#include <span>

#include "luq/core/compiled.hpp"

namespace luq {

LUQ_INLINE std::vector<tensor_declaration> gptq_declarations(const std::string& name, unsigned bits, index rows,
                                                             index cols, index group) {
  detail::require_gptq_shape(name, bits, rows, cols, group);
  const index groups = group == whole_row ? 1 : (cols - 1) / group + 1;
  const auto words = [bits](index codes) { return codes / detail::gptq_block * static_cast<index>(bits); };
  return {{name + ".qweight", tensor_dtype::i32, {words(cols), rows}},
          {name + ".qzeros", tensor_dtype::i32, {groups, words(rows)}},
          {name + ".scales", tensor_dtype::f16, {groups, rows}},
          {name + ".g_idx", tensor_dtype::i32, {cols}}};
}

LUQ_INLINE std::vector<tensor_source> gptq_tensor_sources(const std::string& name, const gptq_tensors& t) {
  static_assert(std::endian::native == std::endian::little);
  require_consistent(t, name);
  const std::array data{std::as_bytes(std::span(t.qweight)), std::as_bytes(std::span(t.qzeros)),
                        std::as_bytes(std::span(t.scales)), std::as_bytes(std::span(t.g_idx))};
  std::vector<tensor_source> sources;
  for (const tensor_declaration& declaration : gptq_declarations(name, t.bits, t.rows, t.cols, t.group)) {
    sources.push_back({declaration, data[sources.size()]});
  }
  return sources;
}

}  // namespace luq
