// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/codecs/lloyd_codec.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "codec_test_support.hpp"

using luq::basic_lloyd_codec;
using luq::lloyd_codec;
using luq::matrix;
using luq_test::hex;
using luq_test::set_codes;

namespace {

/// Calls check(codec) for each number of bits, with that group.
template <class Check>
void for_each_width(luq::index group, Check&& check) {
  check(lloyd_codec<2>{.group = group});
  check(lloyd_codec<3>{.group = group});
  check(lloyd_codec<4>{.group = group});
}

/// Distribution function of the standard normal.
double normal_below(double x) {
  return 0.5 * std::erfc(-x / std::sqrt(2.0));
}

double normal_density(double x) {
  return std::exp(-x * x / 2) / std::sqrt(2 * 3.14159265358979323846);
}

}  // namespace

TEST_CASE("the tables are Lloyd's fixed point for a normal distribution, to integer rounding") {
  for_each_width(64, [](const auto& codec) {
    constexpr auto& table = std::decay_t<decltype(codec)>::table;
    CAPTURE(luq::codec_name(codec));
    CHECK(table.back() == 127);
    // The scale for which the outermost level is the mean of its cell; every other level must then be that of its own.
    const auto mean_of_cell = [&](std::size_t i, double scale) {
      const double low = i == 0 ? -40.0 : 0.5 * scale * (table[i - 1] + table[i]);
      const double high = i + 1 == table.size() ? 40.0 : 0.5 * scale * (table[i] + table[i + 1]);
      return (normal_density(low) - normal_density(high)) / (normal_below(high) - normal_below(low));
    };
    double scale = 2.0 / 127;
    for (int i = 0; i < 1000; ++i) scale = mean_of_cell(table.size() - 1, scale) / 127;
    for (std::size_t i = 0; i < table.size(); ++i) {
      CAPTURE(i);
      CHECK(table[i] == -table[table.size() - 1 - i]);
      CHECK(std::abs(mean_of_cell(i, scale) / scale - table[i]) < 0.75);
    }
  });
}

TEST_CASE("the nearest level is chosen") {
  constexpr std::array<float, 1> parameters{0x1p-6f};
  for_each_width(64, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    luq_test::check_linear_form(codec, parameters);
    luq_test::check_encode_is_nearest(codec, parameters, luq_test::ramp(-3, 3, 0x1p-8f));
    const auto last = static_cast<luq::code>(std::decay_t<decltype(codec)>::table.size() - 1);
    CHECK(codec.encode(1e30f, parameters.data(), 0) == last);
    CHECK(codec.encode(-1e30f, parameters.data(), 0) == 0);
    const float no_scale = 0;
    CHECK(luq::decode_weight(codec, codec.encode(1.0f, &no_scale, 0), &no_scale, 0) == 0.0f);
  });
}

TEST_CASE("bytes written by hand from the picture") {
  // 2 rows; a group of 9 columns is a word of 8 and a tail of one byte a row.
  luq::coded_matrix coded(lloyd_codec<4>{.group = 9}, 2, 9);
  coded.codes.row(0).setConstant(8);
  set_codes(coded.codes, 0, {1}, 15);
  set_codes(coded.codes, 0, {8}, 7);
  set_codes(coded.codes, 1, {4}, 3);
  coded.groups[0].values = matrix(2, 1);
  coded.groups[0].values << 0.5f, 2;
  CHECK(hex(luq::pack(coded).bytes()) ==
        "88 8f 88 88 "  // row 0: column c in byte c % 4, columns 4 ... 7 in the high nibbles; column 1 is f
        "30 00 00 00 "  // row 1: column 4 is the high nibble of byte 0
        "07 00 "        // column 8 of each row
        "00 38 00 40 ");
}

TEST_CASE("every shape is packed without loss into the bytes it should take") {
  luq_test::check_every_shape(lloyd_codec<4>{.group = 32}, 70,
                              [](luq::index h, luq::index k) { return h * ((k + 1) / 2) + 2 * h; });
  luq_test::check_every_shape(lloyd_codec<3>{.group = 32}, 70,
                              [](luq::index h, luq::index k) { return h * ((k + 3) / 4 + (k + 7) / 8) + 2 * h; });
  luq_test::check_every_shape(lloyd_codec<2>{.group = luq::whole_row}, 40,
                              [](luq::index h, luq::index k) { return h * ((k + 3) / 4) + 2 * h; });
  luq_test::check_every_shape(basic_lloyd_codec<4, float>{.group = 1}, 4,
                              [](luq::index h, luq::index k) { return h * ((k + 1) / 2) + 4 * h; });
}

TEST_CASE("the true bits of the usual group sizes") {
  const auto bits = [](const auto& codec) {
    return 8.0 * static_cast<double>(luq::packed_bytes(codec, 64, 4096)) / (64 * 4096);
  };
  CHECK(bits(lloyd_codec<4>{}) == 4.25);
  CHECK(bits(lloyd_codec<4>{.group = 128}) == 4.125);
  CHECK(bits(lloyd_codec<3>{}) == 3.25);
  CHECK(bits(lloyd_codec<2>{.group = 128}) == 2.125);
}

TEST_CASE("no scale on a fine grid leaves much less error, plain or weighted") {
  const basic_lloyd_codec<3, float> codec{.group = luq::whole_row};
  luq_test::for_each_small_row(12, [&](const matrix& w, const std::vector<float>& importance) {
    const double error = luq_test::weighted_error(w, luq_test::code_nearest(codec, w, importance).decode(), importance);
    double least = std::numeric_limits<double>::infinity();
    for (int i = 1; i <= 4000; ++i) {
      const float scale = static_cast<float>(i) * 1.3f * w.cwiseAbs().maxCoeff() / (4000.0f * 127.0f);
      matrix Q(1, w.cols());
      for (luq::index c = 0; c < w.cols(); ++c)
        Q(0, c) = luq::decode_weight(codec, codec.encode(w(0, c), &scale, 0), &scale, 0);
      least = std::min(least, luq_test::weighted_error(w, Q, importance));
    }
    const double energy = luq_test::weighted_error(w, matrix::Zero(1, w.cols()), importance);
    CHECK(error <= least + 0.02 * energy);
  });
}

TEST_CASE("the error on normal weights is the one of theory") {
  // Groups of 128 fit their own scale, which gains a little over one scale for all (0.1175, 0.0345, 0.00950).
  // One scale for many weights; small groups gain from a scale of their own, at 128 columns 2, 8 and 18 %.
  const matrix W = luq::random_normal_matrix(4, 65536, luq::counter_rng(5));
  const auto check = [&](const auto& codec, double theory) {
    CAPTURE(luq::codec_name(codec));
    const double error = luq_test::relative_error(W, luq_test::code_nearest(codec, W).decode());
    CHECK(std::abs(error / theory - 1) < 0.01);
    const double grouped = luq_test::error_on_normal_weights(codec);
    CHECK(grouped < error);
    CHECK(grouped > 0.8 * error);
  };
  check(lloyd_codec<2>{.group = luq::whole_row}, 0.11748);
  check(lloyd_codec<3>{.group = luq::whole_row}, 0.03455);
  check(lloyd_codec<4>{.group = luq::whole_row}, 0.00950);
}

TEST_CASE("groups without anything to fit, and parameters in storage") {
  luq_test::check_degenerate_groups(lloyd_codec<4>{}, 0x1p-10f);
  luq_test::check_degenerate_groups(basic_lloyd_codec<3, float>{}, 0x1p-20f);
  luq_test::check_fitted_parameters_survive(lloyd_codec<4>{.group = 16});
  luq_test::check_fitted_parameters_survive(basic_lloyd_codec<2, float>{.group = 16});
}

TEST_CASE("names and equality") {
  CHECK(luq::codec_name(lloyd_codec<4>{}) == "lloyd4:g64");
  CHECK(luq::codec_name(basic_lloyd_codec<3, float>{.group = 128}) == "lloyd3:g128:f32");
  CHECK(lloyd_codec<4>{} == lloyd_codec<4>{.group = 64});
  CHECK(lloyd_codec<4>{} != lloyd_codec<4>{.group = 32});
}
