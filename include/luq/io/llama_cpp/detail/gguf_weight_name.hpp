// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What llama.cpp calls weights of linears, which all have a name there.
//
// IWYU pragma: private, include "luq/io/llama_cpp/llama_cpp_export.hpp"
#pragma once

#include <string>
#include <string_view>

#include "luq/core/error.hpp"
#include "luq/io/files/detail/printable.hpp"
#include "luq/io/llama_cpp/llama_cpp_names.hpp"

namespace luq::detail {

/// The name of a module's weight, which must have one.
/// @throws luq::error unsupported if it has none
[[nodiscard]] inline std::string gguf_weight_name(std::string_view module) {
  const auto name = gguf_module_name(module);
  if (!name) {
    fail(errc::unsupported, "llama.cpp export: no name is known for ", in_quotes(module),
         ", expected a linear layer such as model.layers.7.mlp.down_proj");
  }
  return *name + ".weight";
}

}  // namespace luq::detail
