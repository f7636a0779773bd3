// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Matrices of random numbers. Element (r, c) of a [rows x cols] matrix is position r * cols + c of the stream.
#pragma once

#include "luq/core/compiled.hpp"
#include "luq/core/matrix_view.hpp"
#include "luq/core/random.hpp"

namespace luq {

/// Standard normal numbers.
[[nodiscard]] matrix random_normal_matrix(index rows, index cols, const counter_rng& rng);

/// Numbers uniform in [-1, 1), which take a fraction of the time of normal ones.
[[nodiscard]] matrix random_uniform_matrix(index rows, index cols, const counter_rng& rng);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/core/impl/random_matrix.hpp"
#endif
