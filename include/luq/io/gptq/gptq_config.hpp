// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// How the linears of a GPTQ checkpoint are coded, as a value: settings that hold for every quantized linear, and rules
// ("dynamic") by which some differ or stay dense.
//
// A rule is a pattern that is tried at the start of a module's name (module_pattern.hpp). The first rule that matches
// counts, and what it does not say is as for every linear. That is vLLM's reading. GPTQModel tries all rules for dense
// modules first, and transformers sorts rules by their text when it saves a config.json: rules that matter should
// exclude one another, as those of make_gptq_config() do (gptq_plan_config.hpp).
//
// Its text form is gptq_config_json.hpp's business.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "luq/core/index.hpp"
#include "luq/io/gptq/gptq_format.hpp"
#include "luq/io/gptq/module_pattern.hpp"

namespace luq {

/// How one linear is coded.
struct gptq_settings {
  unsigned bits = 4;       ///< 2, 3, 4 or 8
  index group = 128;       ///< columns of a group, >= 1, or whole_row (group_size -1)
  bool act_order = false;  ///< desc_act: columns are permuted between groups; false for all that luq writes
  bool symmetric = true;   ///< every zero point is 2^(bits-1)

  friend bool operator==(const gptq_settings&, const gptq_settings&) = default;
};

/// One entry of "dynamic".
struct gptq_rule {
  module_pattern pattern;  ///< without the prefix
  bool quantized = true;   ///< false for "-:"
  std::optional<unsigned> bits{};
  std::optional<index> group{};
  std::optional<bool> act_order{};
  std::optional<bool> symmetric{};

  friend bool operator==(const gptq_rule&, const gptq_rule&) = default;
};

/// The name under which luq writes files.
[[nodiscard]] std::string gptq_quantizer_name();

struct gptq_config {
  gptq_format format = gptq_format::v2;
  gptq_settings base{};
  bool lm_head = false;  ///< whether the output projection is quantized as well
  std::vector<gptq_rule> dynamic{};
  std::string quantizer = gptq_quantizer_name();  ///< "NAME:VERSION", the first if there are several; may be empty

  friend bool operator==(const gptq_config&, const gptq_config&) = default;
};

/// Whether a module is the output projection.
[[nodiscard]] bool is_lm_head(std::string_view module);

/// How a linear is coded, by the first rule that matches; nothing if it stays dense. Whether a linear is quantized at
/// all a checkpoint says by its tensors: no rule need exclude what has none.
[[nodiscard]] std::optional<gptq_settings> settings_of(const gptq_config& config, std::string_view module);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/io/gptq/impl/gptq_config.hpp"
#endif
