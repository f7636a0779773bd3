// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/codecs/sign_codec.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "codec_test_support.hpp"

using luq::basic_sign_codec;
using luq::matrix;
using luq::sign_codec;
using luq_test::hex;
using luq_test::set_codes;

TEST_CASE("a code is a sign, and the nearest value the one of the same sign") {
  constexpr std::array<float, 1> parameters{0.75f};
  CHECK(luq::decode_weight(sign_codec{}, 0, parameters.data(), 0) == -0.75f);
  CHECK(luq::decode_weight(sign_codec{}, 1, parameters.data(), 0) == 0.75f);
  CHECK(sign_codec::component(0, 0) == -1);
  CHECK(sign_codec::component(1, 0) == 1);
  luq_test::check_linear_form(sign_codec{}, parameters);
  luq_test::check_encode_is_nearest(sign_codec{}, parameters, luq_test::ramp(-3, 3, 0.125f));

  const auto encode = [&](float w) { return static_cast<int>(sign_codec{}.encode(w, parameters.data(), 0)); };
  CHECK(encode(0.0f) == 1);  // as ggml's Q1_0: bit = (w >= 0)
  CHECK(encode(-0.0f) == 1);
  CHECK(encode(std::numeric_limits<float>::denorm_min()) == 1);
  CHECK(encode(-std::numeric_limits<float>::denorm_min()) == 0);
  CHECK(encode(std::numeric_limits<float>::max()) == 1);
  CHECK(encode(-std::numeric_limits<float>::max()) == 0);
}

TEST_CASE("bytes written by hand from the picture") {
  // 3 rows; a group of 44 columns is a word and a tail of two bytes a row, the ragged group of 8 columns one byte.
  luq::coded_matrix coded(sign_codec{.group = 44}, 3, 52);
  set_codes(coded.codes, 0, {0, 3, 4, 31, 34, 43, 44, 51}, 1);
  coded.codes.row(1).setOnes();
  set_codes(coded.codes, 2, {1, 2, 5, 30, 32, 37, 45}, 1);
  coded.groups[0].values = matrix(3, 1);
  coded.groups[0].values << 1, 0.5f, 2;
  coded.groups[1].values = matrix(3, 1);
  coded.groups[1].values << 0.25f, 1.5f, 0;
  CHECK(hex(luq::pack(coded).bytes()) ==
        "03 00 00 81 "  // row 0: columns 0 and 4 are bits 0 and 1 of byte 0; 3 and 31 bits 0 and 7 of byte 3
        "ff ff ff ff "
        "00 03 81 00 "  // row 2: columns 1 and 5 are bits 0 and 1 of byte 1; 2 and 30 bits 0 and 7 of byte 2
        "02 20 "        // tail of row 0, even columns in byte 0: 34 is its bit 1; 43 is bit 5 of byte 1
        "3f 3f "        // six columns each
        "01 04 "        // tail of row 2: 32 is bit 0 of byte 0; 37 is bit 2 of byte 1
        "00 3c 00 38 00 40 "
        "81 ff 02 "  // columns 44 and 51 are bits 0 and 7; column 45 is bit 1
        "00 34 00 3e 00 00 ");
}

TEST_CASE("every shape is packed without loss into the bytes it should take") {
  const auto tile_bytes = [](luq::index h, luq::index k) { return h * ((k + 7) / 8) + 2 * h; };
  luq_test::check_every_shape(sign_codec{.group = 44}, 96, tile_bytes);
  luq_test::check_every_shape(sign_codec{.group = luq::whole_row}, 66, tile_bytes);
  luq_test::check_every_shape(sign_codec{.group = 1000}, 34, tile_bytes);
  luq_test::check_every_shape(sign_codec{.group = 1}, 4, tile_bytes);
  luq_test::check_every_shape(basic_sign_codec<float>{.group = 44}, 50,
                              [](luq::index h, luq::index k) { return h * ((k + 7) / 8) + 4 * h; });
}

TEST_CASE("a group of 128 columns and fp16 takes 18 bytes a row, 1.125 bits a weight") {
  CHECK(luq::packed_bytes(sign_codec{}, 1, 128) == 18);
  CHECK(8.0 * static_cast<double>(luq::packed_bytes(sign_codec{}, 64, 4096)) / (64 * 4096) == 1.125);
}

TEST_CASE("no other scale has a smaller error, plain or weighted") {
  const basic_sign_codec<float> codec{.group = luq::whole_row};
  luq_test::for_each_small_row(9, [&](const matrix& w, const std::vector<float>& importance) {
    const double error = luq_test::weighted_error(w, luq_test::code_nearest(codec, w, importance).decode(), importance);
    float greatest = 0;
    for (luq::index c = 0; c < 9; ++c) greatest = std::max(greatest, std::abs(w(0, c)));
    double least = std::numeric_limits<double>::infinity();
    for (int i = 0; i <= 1000; ++i) {
      const float a = greatest * static_cast<float>(i) / 1000;
      const matrix Q = (w.array() >= 0).select(matrix::Constant(1, 9, a), -a);
      least = std::min(least, luq_test::weighted_error(w, Q, importance));
    }
    CHECK(error <= least * (1 + 1e-6));
  });
}

TEST_CASE("the scale is the weighted mean of the magnitudes, rounded to its storage type") {
  matrix W(2, 4);
  W << 1, -2, 3, -6,  //
      -0.5f, 0, 0.25f, 0.25f;
  const auto scale = [&](luq::index row, std::vector<float> importance) {
    return luq::fit_group(sign_codec{}, W, importance).values(row, 0);
  };
  CHECK(scale(0, {}) == 3.0f);
  CHECK(scale(1, {}) == 0.25f);
  CHECK(scale(0, {1, 3, 0, 0}) == 1.75f);
  CHECK(scale(0, {0, 0, 0, 1e-30f}) == 6.0f);
  CHECK(scale(0, {0, 0, 0, 0}) == 3.0f);
  CHECK(scale(0, {1, 1, 0, 1}) == 3.0f);
  CHECK(scale(0, {1, 1, 1, 0}) == 2.0f);
  CHECK(scale(0, {0, 2, 1, 0}) == static_cast<float>(luq::half(7.0f / 3)));
  CHECK(luq::fit_group(basic_sign_codec<float>{}, W, std::vector<float>{0, 2, 1, 0}).values(0, 0) == 7.0f / 3);
}

TEST_CASE("the largest fp16 scale is fitted, the next is bad data") {
  CHECK(luq::fit_group(sign_codec{}, matrix::Constant(1, 8, -65519.0f), {}).values(0, 0) == 65504.0f);
  luq_test::check_fails(luq::errc::non_finite, "65520",
                        [] { (void)luq::fit_group(sign_codec{}, matrix::Constant(1, 8, -65520.0f), {}); });
  const float greatest = std::numeric_limits<float>::max();
  CHECK(luq::fit_group(basic_sign_codec<float>{}, matrix::Constant(1, 8, greatest), {}).values(0, 0) == greatest);
}

TEST_CASE("groups without anything to fit") {
  luq_test::check_degenerate_groups(sign_codec{}, 0x1p-11f);
  luq_test::check_degenerate_groups(basic_sign_codec<float>{}, 0x1p-22f);
}

TEST_CASE("fitted parameters survive packing") {
  luq_test::check_fitted_parameters_survive(sign_codec{.group = 16});
  luq_test::check_fitted_parameters_survive(basic_sign_codec<float>{.group = 16});
}

TEST_CASE("the error on normal weights is the one of theory") {
  // 1 - 2/pi for a scale of the distribution; a scale of each 128 weights saves 1/128 of it.
  const double error = luq_test::error_on_normal_weights(sign_codec{});
  CHECK(error > 0.98 * 0.3608);
  CHECK(error < 1.02 * 0.3608);
}

TEST_CASE("names and equality") {
  CHECK(luq::codec_name(sign_codec{}) == "sign:g128");
  CHECK(luq::codec_name(basic_sign_codec<float>{.group = luq::whole_row}) == "sign:g0:f32");
  CHECK(sign_codec{.group = 64} == sign_codec{.group = 64});
  CHECK(sign_codec{.group = 64} != sign_codec{});
}
