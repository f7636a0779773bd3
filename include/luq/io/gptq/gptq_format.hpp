// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The two formats of GPTQ checkpoints; what they mean is in gptq_tensors.hpp.
#pragma once

#include <string_view>

namespace luq {

/// How zero points are stored.
enum class gptq_format {
  v1,  ///< "gptq": zero - 1
  v2,  ///< "gptq_v2": zero
};

/// The name of a format in configuration files.
[[nodiscard]] constexpr std::string_view gptq_format_name(gptq_format format) noexcept {
  return format == gptq_format::v1 ? "gptq" : "gptq_v2";
}

}  // namespace luq
