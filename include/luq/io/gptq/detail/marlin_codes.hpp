// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What vLLM's Marlin kernels take.
//
// IWYU pragma: private, include "luq/io/gptq/gptq_plan_config.hpp"
#pragma once

#include "luq/io/gptq/gptq_config.hpp"

namespace luq::detail {

/// Whether vLLM's Marlin kernels have such codes.
[[nodiscard]] inline bool has_marlin_codes(const gptq_settings& settings) {
  return settings.symmetric && (settings.bits == 4 || settings.bits == 8);
}

}  // namespace luq::detail
