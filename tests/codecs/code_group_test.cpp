// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/codecs/code_group.hpp"

#include <doctest/doctest.h>

#include <array>
#include <span>
#include <vector>

#include "codec_test_support.hpp"
#include "luq/codecs/sign_codec.hpp"
#include "luq/core/random_matrix.hpp"
#include "quantizers/codec_list.hpp"

using luq::matrix;

namespace {

/// Writes what it is given, for the rules of fit_group().
struct recording_codec : luq::sign_codec {
  template <class Visitor>  // { first weight, first importance, columns }
  constexpr void read_parameters(Visitor&& visitor) const {
    visitor.template scales<float>(3);
  }
  template <class Number>
  [[nodiscard]] constexpr std::array<Number, 2> coefficients(const Number* parameters, int) const noexcept {
    return {parameters[0], Number(0.0f)};
  }
  [[nodiscard]] static constexpr bool accepts(const std::array<float, 3>&) { return true; }

  void fit_row(std::span<const float> w, std::span<const float> weights, float* parameters) const {
    REQUIRE(w.size() == weights.size());
    parameters[0] = w[0];
    parameters[1] = weights[0];
    parameters[2] = static_cast<float>(w.size());
  }
};

}  // namespace

TEST_CASE("parameters of a row are contiguous, and columns without a class are of class 0") {
  luq::group_parameters parameters{matrix(2, 3), {}};
  parameters.values << 1, 2, 3, 4, 5, 6;
  CHECK(parameters.row(1)[0] == 4);
  CHECK(parameters.row(1)[2] == 6);
  CHECK(parameters.class_of(7) == 0);
  parameters.column_class = {0, 1};
  CHECK(parameters.class_of(0) == 0);
  CHECK(parameters.class_of(1) == 1);
}

TEST_CASE("code_group fits and encodes weight by weight, unless the codec codes groups itself") {
  const matrix W = luq::random_normal_matrix(5, 20, luq::counter_rng(1));
  const std::vector<float> importance = luq_test::ramp(1, 20, 1);
  luq_test::for_each_memoryless_codec(luq::whole_row, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const luq::coded_group group = luq::code_group(codec, W, importance);
    CHECK(group.parameters.values == luq::fit_group(codec, W, importance).values);
    if constexpr (requires { codec.code_group(W, importance, luq::executor_ref()); }) {
      CHECK(group.codes == codec.code_group(W, importance).codes);
    } else {
      for (luq::index r = 0; r < W.rows(); ++r) {
        for (luq::index c = 0; c < W.cols(); ++c) {
          CHECK(group.codes(r, c) == codec.encode(W(r, c), group.parameters.row(r), 0));
        }
      }
    }
  });
}

TEST_CASE("rows are fitted one by one, with the caller's importance unless it is all zero") {
  const recording_codec codec;
  matrix W(2, 3);
  W << 1, 2, 3, 4, 5, 6;
  matrix expected(2, 3);
  expected << 1, 9, 3, 4, 9, 3;
  CHECK(luq::fit_group(codec, W, std::vector<float>{9, 0, 0}).values == expected);
  expected.col(1).setConstant(0);
  CHECK(luq::fit_group(codec, W, std::vector<float>{0, 8, 0}).values == expected);
  expected.col(1).setConstant(1);
  CHECK(luq::fit_group(codec, W, std::vector<float>{0, 0, 0}).values == expected);
  CHECK(luq::fit_group(codec, W, {}).values == expected);
  CHECK(luq::fit_group(codec, W, {}).column_class.empty());
  CHECK(luq::fit_group(codec, matrix(0, 3), {}).values.rows() == 0);

  expected << 2, 1, 2, 5, 1, 2;  // a block of a larger matrix, read in place
  CHECK(luq::fit_group(codec, W.middleCols(1, 2), {}).values == expected);
}
