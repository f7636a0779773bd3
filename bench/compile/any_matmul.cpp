// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What an engine that reads its codec from a file compiles: one product.
#include <luq/kernels/any_matmul.hpp>

void multiply(const luq::any_packed_matrix& W, const luq::matrix_view& X, luq::mutable_matrix_view Y) {
  luq::matmul(W, X, Y);
}
