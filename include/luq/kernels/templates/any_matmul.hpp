// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Products of any codec.
#pragma once

#include "luq/kernels/any_matmul.hpp"

namespace luq {

template <class Arch>
void matmul(const any_packed_matrix& W, const matrix_view& X, mutable_matrix_view Y, const matmul_options& options,
            executor_ref executor) {
  std::visit([&](const auto& packed) { matmul<Arch>(packed, X, Y, options, executor); }, W);
}

}  // namespace luq
