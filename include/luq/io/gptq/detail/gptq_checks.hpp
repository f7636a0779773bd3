// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What GPTQ's tensors demand of a linear, whoever writes or reads it.
//
// IWYU pragma: private, include "luq/io/gptq/gptq_tensors.hpp"
#pragma once

#include <string_view>

#include "luq/core/index.hpp"

namespace luq::detail {

/// Codes that are packed together.
inline constexpr index gptq_block = 32;

/// @param name  of the linear, for messages
/// @throws luq::error invalid_argument unless the format has codes of so many bits
void require_gptq_bits(std::string_view name, unsigned bits);

/// Checks bits, shape and group.
/// @throws luq::error invalid_argument
void require_gptq_shape(std::string_view name, unsigned bits, index rows, index cols, index group);

}  // namespace luq::detail

#ifndef LUQ_COMPILED
#include "luq/io/gptq/impl/gptq_checks.hpp"
#endif
