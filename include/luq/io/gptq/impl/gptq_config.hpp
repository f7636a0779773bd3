// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/gptq/gptq_config.hpp.
//
// IWYU pragma: private, include "luq/io/gptq/gptq_config.hpp"
#pragma once

#include "luq/io/gptq/gptq_config.hpp"

#include "luq/core/compiled.hpp"
#include "luq/core/version.hpp"

namespace luq {

LUQ_INLINE std::string gptq_quantizer_name() {
  return "luq:" + std::to_string(LUQ_VERSION_MAJOR) + "." + std::to_string(LUQ_VERSION_MINOR) + "." +
         std::to_string(LUQ_VERSION_PATCH);
}

LUQ_INLINE bool is_lm_head(std::string_view module) {
  return module == "lm_head" || module.ends_with(".lm_head");
}

LUQ_INLINE std::optional<gptq_settings> settings_of(const gptq_config& config, std::string_view module) {
  if (!config.lm_head && is_lm_head(module)) return std::nullopt;
  for (const gptq_rule& rule : config.dynamic) {
    if (!rule.pattern.matches(module)) continue;
    if (!rule.quantized) return std::nullopt;
    return gptq_settings{rule.bits.value_or(config.base.bits), rule.group.value_or(config.base.group),
                         rule.act_order.value_or(config.base.act_order),
                         rule.symmetric.value_or(config.base.symmetric)};
  }
  return config.base;
}

}  // namespace luq
