// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/gptq/gptq_plan_config.hpp.
//
// IWYU pragma: private, include "luq/io/gptq/gptq_plan_config.hpp"
#pragma once

#include "luq/io/gptq/gptq_plan_config.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/io/files/detail/printable.hpp"
#include "luq/io/gptq/detail/exact_patterns.hpp"
#include "luq/io/gptq/detail/fused_linears.hpp"
#include "luq/io/gptq/detail/gptq_checks.hpp"
#include "luq/io/gptq/detail/marlin_codes.hpp"
#include "luq/io/gptq/module_pattern.hpp"

namespace luq {

namespace detail {

template <unsigned Bits>
[[nodiscard]] std::optional<gptq_settings> integer_settings(const any_codec& codec) {
  const auto* c = std::get_if<int_codec<Bits>>(&codec);
  if (c == nullptr) return std::nullopt;
  return gptq_settings{.bits = Bits, .group = c->group, .act_order = false, .symmetric = c->symmetric};
}

}  // namespace detail

LUQ_INLINE std::optional<gptq_settings> gptq_settings_of(const any_codec& codec) {
  if (const auto settings = detail::integer_settings<2>(codec)) return settings;
  if (const auto settings = detail::integer_settings<3>(codec)) return settings;
  if (const auto settings = detail::integer_settings<4>(codec)) return settings;
  return detail::integer_settings<8>(codec);
}

namespace detail {

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

LUQ_INLINE gptq_config make_gptq_config(const plan& p, gptq_format format, std::span<const std::string> dense) {
  require_consistent(p);
  const std::unordered_set<std::string_view> is_dense(dense.begin(), dense.end());
  std::vector<detail::gptq_portion> portions;
  bool has_lm_head = false;
  for (std::size_t layer = 0; layer < p.shape.size(); ++layer) {
    const recipe& how = p.recipes[layer];
    const bool is_plain = how.transform == transform_method::none;
    const std::optional<gptq_settings> settings = is_plain ? gptq_settings_of(how.codec) : std::nullopt;
    for (const linear_shape& linear : p.shape[layer]) {
      if (is_dense.contains(linear.name)) continue;
      if (!settings) {
        fail(errc::unsupported, "gptq linear ", detail::in_quotes(linear.name),
             ": expected a codec of int2, int3, int4 and int8 without a transform, got ", recipe_name(how));
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
