// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The type of sizes and positions, apart from matrices, so that what only counts does not include Eigen.
#pragma once

#include <cstddef>

namespace luq {

/// Signed size and position type of the library; the same as Eigen's.
using index = std::ptrdiff_t;

}  // namespace luq
