// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/core/detail/matrix_products.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "luq/core/random_matrix.hpp"

namespace {

/// Sum over k of a(i, k) b(k, j), in double.
template <class A, class B>
double sum_of_products(luq::index depth, A&& a, B&& b) {
  double sum = 0;
  for (luq::index k = 0; k < depth; ++k) sum += static_cast<double>(a(k)) * static_cast<double>(b(k));
  return sum;
}

/// A part of a larger matrix of random numbers, so that its rows are not neighbours.
struct part {
  luq::matrix whole;
  luq::index rows;
  luq::index cols;

  part(luq::index rows_, luq::index cols_, std::uint64_t seed)
      : whole(luq::random_normal_matrix(rows_ + 2, cols_ + 5, luq::counter_rng(seed))), rows(rows_), cols(cols_) {}

  [[nodiscard]] auto block() { return whole.block(1, 3, rows, cols); }
  [[nodiscard]] float operator()(luq::index r, luq::index c) const { return whole(r + 1, c + 3); }
};

}  // namespace

TEST_CASE("products are added to parts of matrices, whose surroundings stay as they are") {
  for (const luq::index m : {0, 1, 3, 20}) {
    for (const luq::index n : {0, 1, 5, 33}) {
      for (const luq::index depth : {0, 1, 7, 40}) {
        CAPTURE(m);
        CAPTURE(n);
        CAPTURE(depth);
        part A(m, depth, 1);
        part A_turned(depth, m, 2);
        part B(depth, n, 3);
        part B_turned(n, depth, 4);
        const float factor = -0.75f;
        const auto check = [&](auto&& add, auto&& a, auto&& b) {
          part C(m, n, 5);
          const part before = C;
          add(C.block());
          double worst = 0;
          for (luq::index i = 0; i < m; ++i) {
            for (luq::index j = 0; j < n; ++j) {
              const double sum =
                  sum_of_products(depth, [&](luq::index k) { return a(i, k); }, [&](luq::index k) { return b(k, j); });
              const double expected = static_cast<double>(before(i, j)) + static_cast<double>(factor) * sum;
              worst = std::max(worst, std::abs(static_cast<double>(C(i, j)) - expected));
            }
          }
          CHECK(worst < 1e-4);
          C.block() = before.whole.block(1, 3, m, n);
          CHECK(C.whole == before.whole);
        };
        check([&](auto&& C) { luq::detail::add_product(C, factor, A.block(), B.block()); },
              [&](luq::index i, luq::index k) { return A(i, k); }, [&](luq::index k, luq::index j) { return B(k, j); });
        check([&](auto&& C) { luq::detail::add_product_of_transposed(C, factor, A_turned.block(), B.block()); },
              [&](luq::index i, luq::index k) { return A_turned(k, i); },
              [&](luq::index k, luq::index j) { return B(k, j); });
        check([&](auto&& C) { luq::detail::add_product_with_transposed(C, factor, A.block(), B_turned.block()); },
              [&](luq::index i, luq::index k) { return A(i, k); },
              [&](luq::index k, luq::index j) { return B_turned(j, k); });
      }
    }
  }
}
