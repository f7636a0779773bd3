// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// matmul.hpp for a codec chosen at run time.
#pragma once

#include "luq/codecs/any_packed_matrix.hpp"
#include "luq/kernels/matmul.hpp"

namespace luq {

/// Y = X W^T, or Y += X W^T; see matmul() of packed_matrix.
template <class Arch = product_arch>
void matmul(const any_packed_matrix& W, const matrix_view& X, mutable_matrix_view Y, const matmul_options& options = {},
            executor_ref executor = {});

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/kernels/templates/any_matmul.hpp"
#endif
