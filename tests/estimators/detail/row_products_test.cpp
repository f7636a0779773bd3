// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/estimators/detail/row_products.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "luq/core/random_matrix.hpp"

using luq::matrix;

namespace {

/// Products of the tokens named with all rows of C [tokens x rows], and that the padding is zero.
matrix products(const matrix& X, const std::vector<luq::index>& tokens, const matrix& C) {
  const luq::detail::row_products<> packed(C);
  const auto count = static_cast<luq::index>(tokens.size());
  std::vector<const float*> rows;
  for (const luq::index t : tokens) rows.push_back(X.row(t).data());
  constexpr luq::index tile = luq::detail::row_products<>::tile_tokens;
  luq::aligned_buffer<float> out(static_cast<std::size_t>((count + tile - 1) / tile * tile * packed.stride()), 7.0f);
  packed(rows.data(), count, out.data());
  matrix result(count, C.rows());
  for (luq::index i = 0; i < count; ++i) {
    const float* product = out.data() + i * packed.stride();
    for (luq::index k = 0; k < C.rows(); ++k) result(i, k) = product[k];
    for (luq::index k = C.rows(); k < packed.stride(); ++k) CHECK(product[k] == 0.0f);
  }
  return result;
}

}  // namespace

TEST_CASE("products of any selection of tokens with any number of rows") {
  for (const luq::index width : {1, 3, 255, 256, 257, 700}) {
    const matrix X = luq::random_normal_matrix(29, width, luq::counter_rng(1));
    for (const luq::index rows : {1, 2, 7, 8, 16, 17, 31, 33, 48, 63, 64, 65, 100, 130}) {
      CAPTURE(width);
      CAPTURE(rows);
      const matrix C = luq::random_normal_matrix(rows, width, luq::counter_rng(2));
      for (const auto& tokens : std::vector<std::vector<luq::index>>{{},
                                                                     {28},
                                                                     {3, 3, 1},
                                                                     {0, 2, 4, 6, 8, 10},
                                                                     {1, 28, 5, 9, 17, 2, 3},
                                                                     {5, 4, 3, 2, 1, 0, 6, 7, 8, 9, 10, 11}}) {
        const matrix result = products(X, tokens, C);
        for (std::size_t i = 0; i < tokens.size(); ++i) {
          const Eigen::RowVectorXd exact = X.row(tokens[i]).cast<double>() * C.transpose().cast<double>();
          REQUIRE((result.row(static_cast<luq::index>(i)).cast<double>() - exact).cwiseAbs().maxCoeff() <
                  1e-6 * static_cast<double>(width) + 1e-6);
        }
      }
    }
  }
}

TEST_CASE("a product is the same bits wherever its token and row stand") {
  const matrix X = luq::random_normal_matrix(40, 333, luq::counter_rng(3));
  matrix C = luq::random_normal_matrix(100, 333, luq::counter_rng(4));
  for (luq::index k = 1; k < 100; k += 3) C.row(k) = C.row(0);
  std::vector<luq::index> all;
  for (luq::index t = 0; t < 40; ++t) all.push_back(t);
  const matrix together = products(X, all, C);
  for (luq::index k = 1; k < 100; k += 3) CHECK(together.col(k) == together.col(0));
  for (const luq::index t : all) {
    CHECK(products(X, {t}, C) == together.row(t));
    CHECK(products(X, {t}, C.row(99))(0, 0) == together(t, 99));
  }
}
