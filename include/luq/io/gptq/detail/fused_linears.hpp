// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Linears that vLLM and engines after it load as one: q_proj, k_proj and v_proj of a module as its qkv_proj, gate_proj
// and up_proj as its gate_up_proj. Those of one group must be coded alike.
//
// IWYU pragma: private, include "luq/io/exports/export_linter.hpp"
#pragma once

#include <string>
#include <vector>

namespace luq::detail {

/// One group, of which at least two linears are there.
struct fused_linears {
  std::string name;                  ///< of the whole, such as "model.layers.0.self_attn.qkv_proj"
  std::vector<std::string> present;  ///< names of its linears that are there
  std::vector<std::string> missing;  ///< names of those that are not
};

/// The groups among linears, in the order of their first linear.
[[nodiscard]] std::vector<fused_linears> find_fused_linears(const std::vector<std::string>& names);

}  // namespace luq::detail

#ifndef LUQ_COMPILED
#include "luq/io/gptq/impl/fused_linears.hpp"
#endif
