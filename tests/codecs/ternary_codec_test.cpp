// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/codecs/ternary_codec.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "codec_test_support.hpp"

using luq::basic_ternary_codec;
using luq::matrix;
using luq::ternary_codec;
using luq_test::hex;
using luq_test::set_codes;

namespace {

/// The least weighted error of all ways to call some weights non-zero, each with the best scale.
double least_ternary_error(const matrix& w, const std::vector<float>& importance) {
  double least = std::numeric_limits<double>::infinity();
  for (unsigned non_zero = 0; non_zero < (1u << w.cols()); ++non_zero) {
    double h_sum = 0;
    double magnitude = 0;
    double energy = 0;
    for (luq::index c = 0; c < w.cols(); ++c) {
      const double h = importance.empty() ? 1.0 : static_cast<double>(importance[static_cast<std::size_t>(c)]);
      const auto x = static_cast<double>(std::abs(w(0, c)));
      energy += h * x * x;
      if (((non_zero >> c) & 1u) == 0) continue;
      h_sum += h;
      magnitude += h * x;
    }
    // sum over non-zeros of h (x - a)^2 at a = magnitude / h_sum, and h x^2 of the others
    least = std::min(least, h_sum > 0 ? energy - magnitude * magnitude / h_sum : energy);
  }
  return least;
}

}  // namespace

TEST_CASE("a code is -a, 0 or +a, and the nearest of them is chosen") {
  constexpr std::array<float, 1> parameters{0.75f};
  CHECK(luq::decode_weight(ternary_codec{}, 0, parameters.data(), 0) == -0.75f);
  CHECK(luq::decode_weight(ternary_codec{}, 1, parameters.data(), 0) == 0.0f);
  CHECK(luq::decode_weight(ternary_codec{}, 2, parameters.data(), 0) == 0.75f);
  for (const int q : {0, 1, 2}) CHECK(ternary_codec::component(static_cast<luq::code>(q), 0) == q - 1);
  luq_test::check_linear_form(ternary_codec{}, parameters);
  luq_test::check_encode_is_nearest(ternary_codec{}, parameters, luq_test::ramp(-3, 3, 0x1p-7f));

  const auto encode = [&](float w, float a) { return static_cast<int>(ternary_codec{}.encode(w, &a, 0)); };
  CHECK(encode(0.0f, 0.0f) == 1);
  CHECK(encode(-0.0f, 0.75f) == 1);
  CHECK(encode(std::numeric_limits<float>::max(), 0.75f) == 2);
  CHECK(encode(-std::numeric_limits<float>::max(), 0.75f) == 0);
}

TEST_CASE("bytes written by hand from the picture") {
  // 2 rows; a group of 27 columns is a word of 20 and a tail of two bytes a row, the ragged group of 2 one byte.
  luq::coded_matrix coded(ternary_codec{.group = 27}, 2, 29);
  coded.codes.row(0).setOnes();
  set_codes(coded.codes, 0, {0, 27}, 2);
  set_codes(coded.codes, 0, {26, 28}, 0);
  set_codes(coded.codes, 1, {5, 28}, 1);
  set_codes(coded.codes, 1, {19, 21}, 2);
  coded.groups[0].values = matrix(2, 1);
  coded.groups[0].values << 1, 3;
  coded.groups[1].values = matrix(2, 1);
  coded.groups[1].values << 0.125f, 2;
  CHECK(hex(luq::pack(coded).bytes()) ==
        "d5 80 80 80 "  // row 0: columns 0, 4, ... 16 are 2 1 1 1 1 = 202, ceil(212.8); 1 1 1 1 1 = 121, ceil(127.5)
        "00 1d 00 03 "  // row 1: column 5 is trit 1 of byte 1, 27; column 19 is trit 4 of byte 3, 2
        "7c 7c "        // row 0: columns 20, 22, 24, 26 are 1 1 1 0 and an unused 0 = 117, ceil(123.3); 21, 23, 25
        "00 ab "        // row 1: column 21 is trit 0 of byte 1, 2 * 81 = 162, ceil(170.7)
        "00 3c 00 42 "
        "ab 1d "  // columns 27 and 28: 2 0 0 0 0 = 162, and 0 1 0 0 0 = 27
        "00 30 00 40 ");
}

TEST_CASE("every shape is packed without loss into the bytes it should take") {
  const auto tile_bytes = [](luq::index h, luq::index k) { return h * ((k + 4) / 5) + 2 * h; };
  luq_test::check_every_shape(ternary_codec{.group = 32}, 70, tile_bytes);
  luq_test::check_every_shape(ternary_codec{.group = luq::whole_row}, 45, tile_bytes);
  luq_test::check_every_shape(ternary_codec{.group = 1000}, 24, tile_bytes);
  luq_test::check_every_shape(ternary_codec{.group = 1}, 4, tile_bytes);
  luq_test::check_every_shape(basic_ternary_codec<float>{.group = 32}, 40,
                              [](luq::index h, luq::index k) { return h * ((k + 4) / 5) + 4 * h; });
}

TEST_CASE("the true bits of the published group sizes") {
  const auto bits = [](luq::index group) {
    return 8.0 * static_cast<double>(luq::packed_bytes(ternary_codec{.group = group}, 64, 3840)) / (64 * 3840);
  };
  CHECK(bits(128) == 1.75);
  CHECK(bits(160) == 1.7);
  CHECK(bits(256) == 1.6875);
}

TEST_CASE("no other scale and no other choice of zeros has a smaller error, plain or weighted") {
  const basic_ternary_codec<float> codec{.group = luq::whole_row};
  luq_test::for_each_small_row(9, [&](const matrix& w, const std::vector<float>& importance) {
    const double error = luq_test::weighted_error(w, luq_test::code_nearest(codec, w, importance).decode(), importance);
    const double least = least_ternary_error(w, importance);
    const double energy = luq_test::weighted_error(w, matrix::Zero(1, 9), importance);
    CHECK(std::abs(error - least) <= 1e-6 * energy);
  });
}

TEST_CASE("scales worked by hand") {
  matrix W(2, 4);
  W << 4, -4, 1, 0,  // 4 4: removes 64/2; 4 4 1: 81/3; all: 81/4
      1, 1, 1, -1;
  const auto scale = [&](luq::index row, std::vector<float> importance) {
    return luq::fit_group(ternary_codec{}, W, importance).values(row, 0);
  };
  CHECK(scale(0, {}) == 4.0f);
  CHECK(scale(1, {}) == 1.0f);
  CHECK(scale(0, {1, 0, 100, 1}) == static_cast<float>(luq::half(104.0f / 101)));  // 104^2 / 101 beats 4^2 / 1
  CHECK(scale(0, {0, 0, 0, 5}) == 0.0f);
  CHECK(scale(0, {0, 0, 0, 0}) == 4.0f);
  CHECK(luq::fit_group(basic_ternary_codec<float>{}, W, std::vector<float>{1, 0, 100, 1}).values(0, 0) == 104.0f / 101);
}

TEST_CASE("the largest fp16 scale is fitted, the next is bad data") {
  CHECK(luq::fit_group(ternary_codec{}, matrix::Constant(1, 8, -65519.0f), {}).values(0, 0) == 65504.0f);
  luq_test::check_fails(luq::errc::non_finite, "65520",
                        [] { (void)luq::fit_group(ternary_codec{}, matrix::Constant(1, 8, -65520.0f), {}); });
}

TEST_CASE("groups without anything to fit") {
  luq_test::check_degenerate_groups(ternary_codec{}, 0x1p-11f);
  luq_test::check_degenerate_groups(basic_ternary_codec<float>{}, 0x1p-22f);
}

TEST_CASE("fitted parameters survive packing") {
  luq_test::check_fitted_parameters_survive(ternary_codec{.group = 16});
  luq_test::check_fitted_parameters_survive(basic_ternary_codec<float>{.group = 16});
}

TEST_CASE("the error on normal weights is the one of theory") {
  // The best three levels of a normal distribution leave 0.190 (Max 1960); scales of 128 weights each leave 0.187.
  const double error = luq_test::error_on_normal_weights(ternary_codec{});
  CHECK(error > 0.98 * 0.1869);
  CHECK(error < 1.02 * 0.1869);
}

TEST_CASE("names and equality") {
  CHECK(luq::codec_name(ternary_codec{}) == "ternary:g128");
  CHECK(luq::codec_name(basic_ternary_codec<float>{.group = 160}) == "ternary:g160:f32");
  CHECK(ternary_codec{.group = 160} == ternary_codec{.group = 160});
  CHECK(ternary_codec{.group = 160} != ternary_codec{});
}
