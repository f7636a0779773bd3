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

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "luq/codecs/any_codec.hpp"
#include "luq/core/error.hpp"
#include "luq/io/files/detail/printable.hpp"
#include "luq/io/gptq/detail/exact_patterns.hpp"
#include "luq/io/gptq/detail/fused_linears.hpp"
#include "luq/io/gptq/gptq_config.hpp"
#include "luq/io/gptq/gptq_tensors.hpp"
#include "luq/policy/plan.hpp"

namespace luq {

namespace detail {

template <unsigned Bits>
[[nodiscard]] std::optional<gptq_settings> integer_settings(const any_codec& codec) {
  const auto* c = std::get_if<int_codec<Bits>>(&codec);
  if (c == nullptr) return std::nullopt;
  return gptq_settings{.bits = Bits, .group = c->group, .act_order = false, .symmetric = c->symmetric};
}

}  // namespace detail

/// The settings of a codec; nothing if GPTQ has none for it.
[[nodiscard]] inline std::optional<gptq_settings> gptq_settings_of(const any_codec& codec) {
  if (const auto settings = detail::integer_settings<2>(codec)) return settings;
  if (const auto settings = detail::integer_settings<3>(codec)) return settings;
  if (const auto settings = detail::integer_settings<4>(codec)) return settings;
  return detail::integer_settings<8>(codec);
}

namespace detail {

/// Whether vLLM's Marlin kernels have such codes.
[[nodiscard]] inline bool has_marlin_codes(const gptq_settings& settings) {
  return settings.symmetric && (settings.bits == 4 || settings.bits == 8);
}

/// Linears of a plan under the same settings.
struct gptq_portion {
  gptq_settings settings;
  std::vector<std::string> names;
  index weights = 0;
};

/// Rules for these modules, and for the fused ones that they make up, like `rule` but for the pattern.
inline void add_exact_rules(gptq_config& config, std::vector<std::string> names, const gptq_rule& rule) {
  for (fused_linears& group : find_fused_linears(names)) {
    if (group.missing.empty()) names.push_back(std::move(group.name));
  }
  for (std::string& pattern : exact_patterns(names)) {
    config.dynamic.push_back(rule);
    config.dynamic.back().pattern = module_pattern(std::move(pattern));
  }
}

}  // namespace detail

/// @param dense  modules that are not quantized, of the plan or not, each once. Loaders need to be told of those that
///   they would otherwise take for quantized: linears of the plan that stay dense, and of a vision tower, say
/// @throws luq::error unsupported if the codec of a linear that is not dense is not GPTQ's, invalid_argument if such a
///   linear's sizes are no multiples of 32 or if all are dense, and as require_consistent(plan)
[[nodiscard]] inline gptq_config make_gptq_config(const plan& p, gptq_format format = gptq_format::v2,
                                                  std::span<const std::string> dense = {}) {
  require_consistent(p);
  const std::unordered_set<std::string_view> is_dense(dense.begin(), dense.end());
  std::vector<detail::gptq_portion> portions;
  bool has_lm_head = false;
  for (std::size_t layer = 0; layer < p.shape.size(); ++layer) {
    const std::optional<gptq_settings> settings = gptq_settings_of(p.codecs[layer]);
    for (const linear_shape& linear : p.shape[layer]) {
      if (is_dense.contains(linear.name)) continue;
      if (!settings) {
        fail(errc::unsupported, "gptq linear ", detail::in_quotes(linear.name),
             ": expected a codec of int2, int3, int4 and int8, got ", codec_name(p.codecs[layer]));
      }
      detail::require_gptq_shape(linear.name, settings->bits, linear.rows, linear.cols, settings->group);
      auto portion = std::find_if(portions.begin(), portions.end(),
                                  [&](const detail::gptq_portion& q) { return q.settings == *settings; });
      if (portion == portions.end()) portion = portions.insert(portions.end(), {*settings, {}, 0});
      portion->names.push_back(linear.name);
      portion->weights += linear.weights();
      has_lm_head = has_lm_head || is_lm_head(linear.name);
    }
  }
  if (portions.empty()) fail(errc::invalid_argument, "gptq configuration: no linear of the plan is quantized");
  const auto base = std::max_element(portions.begin(), portions.end(), [](const auto& a, const auto& b) {
    return std::pair(!detail::has_marlin_codes(a.settings), a.weights) <
           std::pair(!detail::has_marlin_codes(b.settings), b.weights);
  });

  gptq_config config{.format = format, .base = base->settings, .lm_head = has_lm_head};
  detail::add_exact_rules(config, {dense.begin(), dense.end()}, {.pattern = module_pattern(""), .quantized = false});
  for (const detail::gptq_portion& portion : portions) {
    if (portion.settings == base->settings) continue;
    detail::add_exact_rules(config, portion.names,
                            {.pattern = module_pattern(""),
                             .bits = portion.settings.bits,
                             .group = portion.settings.group,
                             .symmetric = portion.settings.symmetric});
  }
  return config;
}

}  // namespace luq
