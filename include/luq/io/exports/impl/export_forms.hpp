// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/exports/detail/export_forms.hpp.
//
// IWYU pragma: private, include "luq/io/exports/detail/export_forms.hpp"
#pragma once

#include "luq/io/exports/detail/export_forms.hpp"

#include <algorithm>
#include <array>
#include <variant>
#include <vector>

#include "luq/core/assert.hpp"
#include "luq/core/compiled.hpp"
#include "luq/io/gptq/detail/marlin_codes.hpp"
#include "luq/io/gptq/gptq_config.hpp"
#include "luq/io/gptq/gptq_plan_config.hpp"

namespace luq::detail {

LUQ_INLINE const char* accepted_codecs(export_target target) {
  switch (target) {
    case export_target::gptq:
      return "GPTQModel takes int2, int3, int4 and int8 with groups of 16, 32, ... 1024 columns or the whole row";
    case export_target::vllm_gptq:
      return "vLLM takes int2, int3, int4 and int8 with groups of 32, 64, ... 1024 columns or the whole row";
    case export_target::vllm_marlin:
      return "Marlin kernels take symmetric int4 and int8 with groups of 32, 64 or 128 columns or the whole row";
    case export_target::llama_cpp:
      return "ggml blocks hold sign with groups of a multiple of 128 columns, ternary of 256, symmetric int4 and int8 "
             "of 32, or the whole row";
    case export_target::llama_quantize:
      break;
  }
  return "there are ggml types like sign, billm, ternary, int2, int3, int4 and int8";
}

[[nodiscard]] inline std::optional<export_form> gptq_form(export_target target, const any_codec& codec) {
  const std::optional<gptq_settings> settings = gptq_settings_of(codec);
  if (!settings) return std::nullopt;
  const bool for_marlin = target == export_target::vllm_marlin;
  if (for_marlin && !has_marlin_codes(*settings)) return std::nullopt;
  const index least = target == export_target::gptq ? 16 : 32;
  const index most = for_marlin ? 128 : 1024;
  const index group = settings->group;
  const bool is_power_of_two = (group & (group - 1)) == 0;
  if (group != whole_row && (group < least || group > most || !is_power_of_two)) return std::nullopt;
  const index divisor = target == export_target::gptq || group == whole_row ? 1 : group;
  if (for_marlin) return export_form{"Marlin kernels", 128, 64, divisor};
  return export_form{"GPTQ words", 32, 32, divisor};
}

[[nodiscard]] inline std::optional<export_form> ggml_block_form(const any_codec& codec) {
  const auto is_blockwise = [](index group, index block) { return group == whole_row || group % block == 0; };
  if (const auto* c = std::get_if<sign_codec>(&codec); c != nullptr && is_blockwise(c->group, 128)) {
    return export_form{"Q1_0", 128};
  }
  if (const auto* c = std::get_if<ternary_codec>(&codec); c != nullptr && is_blockwise(c->group, 256)) {
    return export_form{"TQ2_0", 256};
  }
  const std::optional<gptq_settings> integer = gptq_settings_of(codec);
  if (!integer || !has_marlin_codes(*integer) || !is_blockwise(integer->group, 32)) return std::nullopt;
  return export_form{integer->bits == 4 ? "Q4_0" : "Q8_0", 32};
}

[[nodiscard]] inline std::optional<export_form> llama_quantize_form(const any_codec& codec) {
  const auto large_blocks = [](const char* type, const char* fallback) {
    return export_form{type, 256, 1, 1, std::string("list them as ") + fallback + ", as llama-quantize would"};
  };
  if (std::holds_alternative<sign_codec>(codec)) {
    return export_form{"q1_0", 128, 1, 1, "list them as f16: llama-quantize would stop"};
  }
  if (std::holds_alternative<billm_codec>(codec)) return large_blocks("iq1_m", "iq4_nl");
  if (std::holds_alternative<ternary_codec>(codec)) return large_blocks("tq1_0", "q4_0");
  if (std::holds_alternative<int_codec<2>>(codec)) return large_blocks("q2_k", "q4_0");
  if (std::holds_alternative<int_codec<3>>(codec)) return large_blocks("q3_k", "q4_0");
  if (std::holds_alternative<int_codec<4>>(codec)) return large_blocks("q4_k", "q5_0");
  if (std::holds_alternative<int_codec<8>>(codec)) return export_form{"q8_0", 32, 1, 1, "list them as f16"};
  return std::nullopt;
}

LUQ_INLINE std::optional<export_form> form_of(export_target target, const any_codec& codec) {
  if (target == export_target::llama_cpp) return ggml_block_form(codec);
  if (target == export_target::llama_quantize) return llama_quantize_form(codec);
  return gptq_form(target, codec);
}

LUQ_INLINE any_codec nearest_codec(export_target target, const any_codec& codec) {
  const index group = std::visit([](const auto& c) { return c.group; }, codec);
  std::vector<any_codec> candidates;
  for (const index g : {group, index{128}, index{256}}) {
    const std::array<any_codec, 8> all{sign_codec{.group = g},   ternary_codec{.group = g},
                                       int_codec<2>{.group = g}, int_codec<3>{.group = g},
                                       int_codec<4>{.group = g}, int_codec<4>{.group = g, .symmetric = true},
                                       int_codec<8>{.group = g}, int_codec<8>{.group = g, .symmetric = true}};
    for (const any_codec& candidate : all) {
      if (nominal_bits(candidate) >= nominal_bits(codec) && form_of(target, candidate)) candidates.push_back(candidate);
    }
  }
  LUQ_ASSERT(!candidates.empty());  // symmetric int8 with groups of 128 goes everywhere
  return *std::min_element(candidates.begin(), candidates.end(),
                           [](const any_codec& a, const any_codec& b) { return nominal_bits(a) < nominal_bits(b); });
}

}  // namespace luq::detail
