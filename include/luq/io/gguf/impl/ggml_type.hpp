// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/gguf/ggml_type.hpp.
//
// IWYU pragma: private, include "luq/io/gguf/ggml_type.hpp"
#pragma once

#include "luq/io/gguf/ggml_type.hpp"

#include "luq/core/compiled.hpp"

namespace luq {

LUQ_INLINE std::string ggml_type_name(ggml_type type) {
  const auto facts = facts_of(type);
  return facts ? std::string(facts->name) : "type " + std::to_string(static_cast<std::int32_t>(type));
}

}  // namespace luq
