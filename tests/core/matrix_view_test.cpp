// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/core/matrix_view.hpp"

#include <doctest/doctest.h>

#include <numeric>
#include <type_traits>
#include <vector>

using luq::matrix;
using luq::matrix_view;
using luq::mutable_matrix_view;

namespace {

const float* address(const matrix_view& view) {
  return view.data();
}

luq::index stride(const matrix_view& view) {
  return view.outerStride();
}

std::vector<float> counted(std::size_t count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 0.0f);
  return values;
}

using column_major = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor>;
static_assert(std::is_convertible_v<const column_major&, matrix_view>);
static_assert(!std::is_convertible_v<column_major&, mutable_matrix_view>);
static_assert(!std::is_convertible_v<const matrix&, mutable_matrix_view>);
static_assert(std::is_convertible_v<matrix&, mutable_matrix_view>);

}  // namespace

TEST_CASE("a view of caller memory is row-major with any outer stride, and copies nothing") {
  const std::vector<float> memory = counted(60);
  for (const luq::index outer : {4, 5, 12}) {
    CAPTURE(outer);
    const auto view = luq::view(memory.data(), 5, 4, outer);
    CHECK(address(view) == memory.data());
    CHECK(stride(view) == outer);
    for (luq::index r = 0; r < 5; ++r) {
      for (luq::index c = 0; c < 4; ++c) REQUIRE(view(r, c) == static_cast<float>(r * outer + c));
    }
  }
}

TEST_CASE("rows of a contiguous view follow each other") {
  const std::vector<float> memory = counted(6);
  const auto view = luq::view(memory.data(), 2, 3);
  CHECK(view(0, 2) == 2.0f);
  CHECK(view(1, 0) == 3.0f);
}

TEST_CASE("blocks of matrices and of views pass without a copy, unaligned ones too") {
  matrix M = matrix::Random(6, 9);
  CHECK(address(M) == M.data());
  CHECK(address(M.block(1, 3, 4, 5)) == &M(1, 3));
  CHECK(stride(M.block(1, 3, 4, 5)) == 9);
  const matrix_view whole = M;
  CHECK(address(whole.middleRows(2, 2)) == &M(2, 0));
  CHECK(address(whole.rightCols(1)) == &M(0, 8));
}

TEST_CASE("other layouts and expressions are evaluated into a temporary of the same values") {
  const column_major M = column_major::Random(3, 4);
  const matrix_view view = M;
  CHECK(address(view) != M.data());
  CHECK(matrix(view) == matrix(M));
  const matrix_view sum = M + M;
  CHECK(matrix(sum) == matrix(2 * M));
}

TEST_CASE("writing through a view writes the caller's elements and no others") {
  std::vector<float> memory(20, -1.0f);
  mutable_matrix_view view = luq::view(memory.data() + 1, 3, 2, 6);
  view.setConstant(7.0f);
  for (std::size_t i = 0; i < memory.size(); ++i) {
    const bool inside = i >= 1 && (i - 1) / 6 < 3 && (i - 1) % 6 < 2;
    CAPTURE(i);
    CHECK(memory[i] == (inside ? 7.0f : -1.0f));
  }
}

TEST_CASE("a view may be empty and need not be float") {
  const auto empty = luq::view(static_cast<const float*>(nullptr), 0, 5);
  CHECK(empty.rows() == 0);
  CHECK(empty.cols() == 5);
  const std::vector<int> memory{1, 2, 3, 4};
  const luq::basic_matrix_view<int> numbers = luq::view(memory.data(), 2, 2);
  CHECK(numbers.sum() == 10);
  CHECK(numbers.data() == memory.data());
}
