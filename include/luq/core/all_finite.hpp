// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Whether all numbers of a matrix are finite, at the speed of memory and with any flags of the compiler. Told by bits,
// as in is_finite.hpp: added to the magnitude of a number, one unit of the exponent sets the sign if and only if the
// number is a NaN or an infinity. Eigen's own allFinite() computes with the numbers, which -ffast-math removes.
#pragma once

#include "luq/core/compiled.hpp"
#include "luq/core/matrix_view.hpp"

namespace luq {

[[nodiscard]] bool all_finite(const float* values, index count);

[[nodiscard]] bool all_finite(const matrix_view& A);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/core/impl/all_finite.hpp"
#endif
