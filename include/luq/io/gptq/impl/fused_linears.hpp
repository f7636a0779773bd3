// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/gptq/detail/fused_linears.hpp.
//
// IWYU pragma: private, include "luq/io/gptq/detail/fused_linears.hpp"
#pragma once

#include "luq/io/gptq/detail/fused_linears.hpp"

#include <array>
#include <cstddef>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "luq/core/compiled.hpp"

namespace luq::detail {

LUQ_INLINE std::vector<fused_linears> find_fused_linears(const std::vector<std::string>& names) {
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
