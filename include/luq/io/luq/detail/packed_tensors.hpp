// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What a packed model's file holds of a plan: the names of its linears' tensors, and the metadata.
//
// IWYU pragma: private, include "luq/io/luq/packed_model.hpp"
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "luq/io/safetensors/tensor_source.hpp"
#include "luq/policy/plan.hpp"

namespace luq::detail {

inline constexpr std::string_view packed_suffix = ".packed";
inline constexpr const char* format_key = "luq.format";
inline constexpr const char* stored_key = "luq.stored";
inline constexpr const char* plan_key = "luq.plan";
inline constexpr std::string_view format_version = "2";

[[nodiscard]] inline std::string packed_name(const linear_shape& linear) {
  return linear.name + std::string(packed_suffix);
}

/// All tensors of the file: those of the plan, in its order, then the others.
/// @throws luq::error invalid_argument if another tensor is named like a linear's, as require_consistent()
[[nodiscard]] std::vector<tensor_declaration> packed_declarations(const plan& p, std::span<const tensor_source> others);

/// The stored forms that a plan's matrices have, by name: families of codecs and transforms, and their versions.
[[nodiscard]] std::map<std::string, int> stored_forms(const plan& p);

/// The version of the format, the stored forms, and the plan's text.
[[nodiscard]] std::map<std::string, std::string> packed_metadata(const plan& p);

}  // namespace luq::detail

#ifndef LUQ_COMPILED
#include "luq/io/luq/impl/packed_tensors.hpp"
#endif
