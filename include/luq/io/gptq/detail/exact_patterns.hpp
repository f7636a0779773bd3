// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Patterns (module_pattern.hpp) that match given names and nothing else. Names that are alike but for a number are
// told in one, as a person would:
//
//   ^model\.layers\.(?:3|7|9)(?:\.mlp\.up_proj|\.mlp\.down_proj)$
//
// IWYU pragma: private, include "luq/io/gptq/gptq_plan_config.hpp"
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace luq::detail {

/// A pattern of the text itself.
[[nodiscard]] std::string escape_pattern(std::string_view text);

/// Patterns that between them match exactly `names`, each name one of them; names are distinct.
/// @param limit  bytes of an alternation at which another pattern is begun; a pattern holds two of them
[[nodiscard]] std::vector<std::string> exact_patterns(const std::vector<std::string>& names, std::size_t limit = 16384);

}  // namespace luq::detail

#ifndef LUQ_COMPILED
#include "luq/io/gptq/impl/exact_patterns.hpp"
#endif
