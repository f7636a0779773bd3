// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Linears that vLLM and engines after it load as one: q_proj, k_proj and v_proj of a module as its qkv_proj, gate_proj
// and up_proj as its gate_up_proj. Those of one group must be coded alike.
//
// IWYU pragma: private, include "luq/io/exports/export_linter.hpp"
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace luq::detail {

/// One group, of which at least two linears are there.
struct fused_linears {
  std::string name;                  ///< of the whole, such as "model.layers.0.self_attn.qkv_proj"
  std::vector<std::string> present;  ///< names of its linears that are there
  std::vector<std::string> missing;  ///< names of those that are not
};

/// The groups among linears, in the order of their first linear.
[[nodiscard]] inline std::vector<fused_linears> find_fused_linears(const std::vector<std::string>& names) {
  struct kind {
    std::string_view whole;
    std::vector<std::string_view> parts;
  };
  const std::array kinds{kind{"qkv_proj", {"q_proj", "k_proj", "v_proj"}},
                         kind{"gate_up_proj", {"gate_proj", "up_proj"}}};
  const std::unordered_set<std::string_view> known(names.begin(), names.end());
  std::unordered_set<std::string> found;
  std::vector<fused_linears> groups;
  for (const std::string& name : names) {
    const std::size_t last = name.rfind('.') + 1;  // 0 without a dot
    const std::string prefix = name.substr(0, last);
    for (const kind& k : kinds) {
      fused_linears group{prefix + std::string(k.whole), {}, {}};
      bool is_part = false;
      for (const std::string_view part : k.parts) {
        std::string linear = prefix + std::string(part);
        is_part = is_part || linear == name;
        (known.contains(linear) ? group.present : group.missing).push_back(std::move(linear));
      }
      if (is_part && group.present.size() >= 2 && found.insert(group.name).second) groups.push_back(std::move(group));
    }
  }
  return groups;
}

}  // namespace luq::detail
