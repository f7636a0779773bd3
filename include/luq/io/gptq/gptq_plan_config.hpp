// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The GPTQ configuration of a plan. One of the plan's settings becomes that of every linear, the others become rules
// with the exact names of their linears, and so do modules that stay dense. No two rules match the same name, so their
// order does not matter to any reader.
//
// Where engines fuse linears (q, k and v; gate and up) they ask for the fused module's name, so a rule for all of them
// names the fused module as well.
//
// vLLM takes its Marlin kernels for a whole checkpoint if the settings of every linear are 4 or 8 bits symmetric, and
// then refuses rules that are not. So settings beyond Marlin come first where a plan has any; among equals those of the
// most weights.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "luq/codecs/any_codec.hpp"
#include "luq/io/gptq/gptq_config.hpp"
#include "luq/io/gptq/gptq_format.hpp"
#include "luq/policy/plan.hpp"

namespace luq {

/// The settings of a codec; nothing if GPTQ has none for it.
[[nodiscard]] std::optional<gptq_settings> gptq_settings_of(const any_codec& codec);

/// @param dense  modules that are not quantized, of the plan or not, each once. Loaders need to be told of those that
///   they would otherwise take for quantized: linears of the plan that stay dense, and of a vision tower, say
/// @throws luq::error unsupported if the codec of a linear that is not dense is not GPTQ's, invalid_argument if such a
///   linear's sizes are no multiples of 32 or if all are dense, and as require_consistent(plan)
[[nodiscard]] gptq_config make_gptq_config(const plan& p, gptq_format format = gptq_format::v2,
                                           std::span<const std::string> dense = {});

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/io/gptq/impl/gptq_plan_config.hpp"
#endif
