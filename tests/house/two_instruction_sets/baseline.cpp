// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include <luq/kernels/matmul.hpp>

#include "product.hpp"

void two_instruction_sets::multiply_in_baseline_unit(const packed_weights& W, const luq::matrix_view& X,
                                                     luq::mutable_matrix_view Y) {
  luq::matmul(W, X, Y);
}
