// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include <luq/core/matrix_view.hpp>

namespace shared_matrices {

/// 2 A, compiled for AVX2.
luq::matrix twice(luq::matrix A);

}  // namespace shared_matrices
