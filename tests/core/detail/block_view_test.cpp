// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/core/detail/block_view.hpp"

#include <doctest/doctest.h>

#include "luq/core/random_matrix.hpp"

using luq::detail::block_view;
using luq::detail::copy_to_block;

TEST_CASE("a block is a view of the matrix, or of a view, that it is cut from") {
  luq::matrix A = luq::random_normal_matrix(7, 9, luq::counter_rng(1));
  const luq::matrix& constant = A;
  luq::mutable_matrix_view part = block_view(A, 1, 2, 5, 6);
  CHECK(part == A.block(1, 2, 5, 6));
  CHECK(block_view(constant, 6, 0, 1, 9) == A.row(6));
  CHECK(block_view(luq::matrix_view(part), 2, 3, 3, 1) == A.block(3, 5, 3, 1));
  CHECK(block_view(constant, 2, 3, 0, 4).rows() == 0);
  block_view(part, 4, 5, 1, 1)(0, 0) = 42;
  CHECK(A(5, 7) == 42);
}

TEST_CASE("a matrix is copied to a block, whose surroundings stay as they are") {
  const luq::matrix A = luq::random_normal_matrix(2, 3, luq::counter_rng(2));
  luq::matrix B = luq::random_normal_matrix(5, 6, luq::counter_rng(3));
  luq::matrix expected = B;
  expected.block(1, 2, 2, 3) = A;
  copy_to_block(A, B, 1, 2);
  CHECK(B == expected);
}
