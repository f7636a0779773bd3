// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What an engine that knows its codec compiles: one product.
#include <luq/codecs/int_codec.hpp>
#include <luq/kernels/matmul.hpp>

void multiply(const luq::packed_matrix<luq::int_codec<4>>& W, const luq::matrix_view& X, luq::mutable_matrix_view Y) {
  luq::matmul(W, X, Y);
}
