// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "luq/core/index.hpp"

namespace luq {

/// Code of one weight, 0 ... code_count-1 of its codec.
using code = std::uint16_t;

/// As the `group` option of a codec: one group spans the whole row. (GPTQ's configurations write -1.)
inline constexpr index whole_row = 0;

}  // namespace luq
