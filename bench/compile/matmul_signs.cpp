// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// As matmul_int4.cpp, of the codec with most kinds of products: sign planes are looked up in tables, too.
#include <luq/codecs/sign_codec.hpp>
#include <luq/kernels/matmul.hpp>

void multiply(const luq::packed_matrix<luq::sign_codec>& W, const luq::matrix_view& X, luq::mutable_matrix_view Y) {
  luq::matmul(W, X, Y);
}
