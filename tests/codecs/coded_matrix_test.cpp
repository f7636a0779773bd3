// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/codecs/coded_matrix.hpp"

#include <doctest/doctest.h>

#include <cstddef>

#include "codec_test_support.hpp"
#include "quantizers/codec_list.hpp"

using luq::coded_matrix;
using luq::matrix;

TEST_CASE("a new coded matrix has codes of zero and an empty place for each column group") {
  const coded_matrix coded(luq::sign_codec{.group = 4}, 3, 10);
  CHECK(coded.rows() == 3);
  CHECK(coded.cols() == 10);
  CHECK(coded.codes.isZero());
  CHECK(coded.groups.size() == 3);
  CHECK(coded_matrix(luq::sign_codec{.group = luq::whole_row}, 3, 10).groups.size() == 1);
  CHECK(coded_matrix(luq::sign_codec{.group = 64}, 3, 10).groups.size() == 1);
  CHECK(coded_matrix(luq::sign_codec{.group = 1}, 3, 10).groups.size() == 10);
  CHECK(coded_matrix(luq::sign_codec{}, 3, 0).groups.empty());
}

TEST_CASE("a weight is decoded with the parameters of its row and group") {
  coded_matrix coded(luq::ternary_codec{.group = 2}, 2, 5);
  coded.codes << 0, 1, 2, 2, 0,  //
      2, 2, 1, 0, 2;
  for (std::size_t g = 0; g < 3; ++g) coded.groups[g].values.resize(2, 1);
  coded.groups[0].values << 1, 10;
  coded.groups[1].values << 2, 20;
  coded.groups[2].values << 3, 30;
  matrix expected(2, 5);
  expected << -1, 0, 2, 2, -3,  //
      10, 10, 0, -20, 30;
  CHECK(coded.decode() == expected);
  CHECK(coded.at(1, 3) == -20);
}

TEST_CASE("a weight is decoded by the class of its column within the group") {
  coded_matrix coded(luq::billm_codec{.group = 2}, 1, 4);
  for (std::size_t g = 0; g < 2; ++g) {
    coded.groups[g].values = matrix::Zero(1, 7);
    coded.groups[g].values(0, 0) = 100;  // offset of class 0
    coded.groups[g].values(0, 4) = 200;  // offset of class 1
  }
  coded.groups[0].column_class = {0, 1};
  coded.groups[1].column_class = {1, 0};
  matrix expected(1, 4);
  expected << 100, 200, 200, 100;
  CHECK(coded.decode() == expected);
}

TEST_CASE("decode() is at() everywhere, for every codec and a ragged last group") {
  for (const luq::index group : {luq::whole_row, luq::index{1}, luq::index{9}, luq::index{99}}) {
    luq_test::for_each_codec(group, [&](const auto& codec) {
      CAPTURE(luq::codec_name(codec));
      const auto coded = luq_test::random_coded_matrix(codec, 7, 31, 3);
      const matrix W = coded.decode();
      REQUIRE(W.rows() == 7);
      REQUIRE(W.cols() == 31);
      int wrong = 0;
      const luq::index size = group == luq::whole_row ? 31 : group;
      for (luq::index r = 0; r < 7; ++r) {
        for (luq::index c = 0; c < 31; ++c) {
          const auto& parameters = coded.groups[static_cast<std::size_t>(c / size)];
          wrong += W(r, c) != coded.at(r, c);
          wrong +=
              W(r, c) != luq::decode_weight(codec, coded.codes(r, c), parameters.row(r), parameters.class_of(c % size));
        }
      }
      CHECK(wrong == 0);
    });
  }
}
