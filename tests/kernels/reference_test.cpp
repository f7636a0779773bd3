// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/kernels/reference.hpp"

#include <doctest/doctest.h>

#include "luq/core/random_matrix.hpp"
#include "packed_product.hpp"

using luq::matrix;

namespace {

/// Elements of Y other than X W^T, summed from the last column to the first in long double, by more than a unit in
/// the last place.
luq::index count_wrong_outputs(const matrix& W, const matrix& X, const luq::matrix_view& Y) {
  luq::index wrong = 0;
  for (luq::index t = 0; t < X.rows(); ++t) {
    for (luq::index r = 0; r < W.rows(); ++r) {
      long double sum = 0;
      long double magnitudes = 0;
      for (luq::index c = W.cols(); c-- > 0;) {
        const long double term = static_cast<long double>(W(r, c)) * static_cast<long double>(X(t, c));
        sum += term;
        magnitudes += std::abs(term);
      }
      const long double rounding = 0x1p-24L * std::abs(sum) + 0x1p-44L * magnitudes + 0x1p-149L;
      if (!(std::abs(static_cast<long double>(Y(t, r)) - sum) <= rounding)) ++wrong;
    }
  }
  return wrong;
}

}  // namespace

TEST_CASE("the reference is the product with the unpacked matrix, for every codec and shape") {
  for (const luq::index group : {luq::index{1}, luq::index{7}, luq::index{32}, luq::index{128}, luq::whole_row}) {
    luq_test::for_each_codec(group, [](const auto& codec) {
      CAPTURE(luq::codec_name(codec));
      for (const luq::index rows : {1, 2, 63, 64, 65, 130}) {
        for (const luq::index cols : {1, 2, 9, 33, 40, 129, 258}) {
          for (const luq::index tokens : {1, 3}) {
            CAPTURE(rows);
            CAPTURE(cols);
            CAPTURE(tokens);
            const auto coded = luq_test::random_coded_matrix(codec, rows, cols, 1);
            const auto packed = luq::pack(coded);
            const matrix W = packed.unpack().decode();
            CHECK(W == coded.decode());
            const matrix X = luq::random_normal_matrix(tokens, cols, luq::counter_rng(2));
            matrix Y = matrix::Constant(tokens, rows, luq_test::not_a_number);
            luq::matmul_reference(packed, X, Y);
            CHECK(count_wrong_outputs(W, X, Y) == 0);
          }
        }
      }
    });
  }
}

TEST_CASE("the reference loses nothing to cancellation") {
  const luq::sign_codec codec{.group = luq::whole_row};
  luq::coded_matrix<luq::sign_codec> coded(codec, 1, 3);
  coded.groups[0].values = matrix::Ones(1, 1);
  coded.codes.row(0) << 1, 1, 0;
  matrix X(1, 3);
  X << 0x1p40f, 1.0f, 0x1p40f;
  matrix Y(1, 1);
  luq::matmul_reference(luq::pack(coded), X, Y);
  CHECK(Y(0, 0) == 1.0f);
}

TEST_CASE("the reference reads and writes views of larger buffers") {
  luq_test::for_each_codec(8, [](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const auto packed = luq::pack(luq_test::random_coded_matrix(codec, 5, 21, 3));
    matrix x = matrix::Constant(4, 30, luq_test::not_a_number);
    matrix y = matrix::Constant(4, 10, 0.5f);
    x.middleCols(1, 21) = luq::random_normal_matrix(4, 21, luq::counter_rng(4));
    luq::matmul_reference(packed, x.middleCols(1, 21), y.middleCols(3, 5));
    CHECK(count_wrong_outputs(packed.unpack().decode(), x.middleCols(1, 21), y.middleCols(3, 5)) == 0);
    CHECK((y.leftCols(3).array() == 0.5f).all());
    CHECK((y.rightCols(2).array() == 0.5f).all());
  });
}

TEST_CASE("the reference of matrices without tokens, rows or columns") {
  luq_test::for_each_codec(8, [](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const auto product = [&](luq::index tokens, luq::index rows, luq::index cols) {
      const auto packed = luq::pack(luq_test::random_coded_matrix(codec, rows, cols, 5));
      matrix Y = matrix::Constant(tokens, rows, luq_test::not_a_number);
      luq::matmul_reference(packed, matrix::Ones(tokens, cols), Y);
      return Y;
    };
    CHECK(product(0, 3, 4).size() == 0);
    CHECK(product(3, 0, 4).size() == 0);
    CHECK(product(2, 3, 0) == matrix::Zero(2, 3));
  });
}
