// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/gguf/ggml_blocks.hpp.
//
// IWYU pragma: private, include "luq/io/gguf/ggml_blocks.hpp"
#pragma once

#include "luq/io/gguf/ggml_blocks.hpp"

#include <variant>

#include "luq/core/compiled.hpp"

namespace luq {

LUQ_INLINE std::string ggml_blocks_fault(const any_codec& codec, index cols) {
  return std::visit([cols](const auto& c) { return detail::ggml_blocks_fault(c, cols); }, codec);
}

LUQ_INLINE ggml_type ggml_blocks_type(const any_codec& codec, index cols) {
  const std::string fault = ggml_blocks_fault(codec, cols);
  if (!fault.empty()) fail(errc::unsupported, "ggml blocks: ", fault);
  return std::visit(
      []<class Codec>(const Codec&) {
        if constexpr (detail::HasGgmlBlocks<Codec>) return detail::ggml_blocks<Codec>::type;
        return ggml_type{};
      },
      codec);
}

LUQ_INLINE std::vector<std::byte> to_ggml_blocks(const any_packed_matrix& packed) {
  return std::visit(
      []<class Codec>(const packed_matrix<Codec>& p) -> std::vector<std::byte> {
        if constexpr (detail::HasGgmlBlocks<Codec>) return to_ggml_blocks(p);
        detail::require_ggml_blocks(p.codec(), p.cols());  // throws
        return {};
      },
      packed);
}

}  // namespace luq
