// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/codecs/binary_coding_codec.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "codec_test_support.hpp"

using luq::basic_binary_coding_codec;
using luq::binary_coding_codec;
using luq::matrix;
using luq_test::hex;
using luq_test::set_codes;

namespace {

/// Weighted mean of some magnitudes, and what is left of them.
struct cluster {
  double h_sum = 0;
  double sum = 0;
  double energy = 0;

  void add(double h, double x) {
    h_sum += h;
    sum += h * x;
    energy += h * x * x;
  }
  [[nodiscard]] double error() const { return h_sum > 0 ? energy - sum * sum / h_sum : 0; }
};

/// The least weighted error of all ways to divide the magnitudes among two values.
double least_error(const matrix& w, const std::vector<float>& importance) {
  double least = std::numeric_limits<double>::infinity();
  for (unsigned large = 0; large < (1u << w.cols()); ++large) {
    std::array<cluster, 2> clusters;
    for (luq::index c = 0; c < w.cols(); ++c) {
      const double h = importance.empty() ? 1.0 : static_cast<double>(importance[static_cast<std::size_t>(c)]);
      clusters[(large >> c) & 1u].add(h, static_cast<double>(std::abs(w(0, c))));
    }
    least = std::min(least, clusters[0].error() + clusters[1].error());
  }
  return least;
}

}  // namespace

TEST_CASE("a code is a sign and one of two magnitudes, and the nearest value is chosen") {
  constexpr std::array<float, 2> parameters{1.0f, 0.25f};                               // magnitudes 0.75 and 1.25
  CHECK(luq::decode_weight(binary_coding_codec{}, 0, parameters.data(), 0) == -1.25f);  // s = -1, u = -1: large
  CHECK(luq::decode_weight(binary_coding_codec{}, 1, parameters.data(), 0) == 0.75f);   // s = +1, u = -1: small
  CHECK(luq::decode_weight(binary_coding_codec{}, 2, parameters.data(), 0) == -0.75f);  // s = -1, u = +1: small
  CHECK(luq::decode_weight(binary_coding_codec{}, 3, parameters.data(), 0) == 1.25f);   // s = +1, u = +1: large
  luq_test::check_linear_form(binary_coding_codec{}, parameters);
  luq_test::check_encode_is_nearest(binary_coding_codec{}, parameters, luq_test::ramp(-3, 3, 0x1p-6f));
  constexpr std::array<float, 2> equal{0.5f, 0.0f};
  luq_test::check_encode_is_nearest(binary_coding_codec{}, equal, luq_test::ramp(-2, 2, 0x1p-6f));
  constexpr std::array<float, 2> with_zero{0.5f, 0.5f};  // magnitudes 0 and 1
  luq_test::check_encode_is_nearest(binary_coding_codec{}, with_zero, luq_test::ramp(-2, 2, 0x1p-6f));
  CHECK(binary_coding_codec{}.encode(std::numeric_limits<float>::max(), parameters.data(), 0) == 3);
  CHECK(binary_coding_codec{}.encode(-std::numeric_limits<float>::max(), parameters.data(), 0) == 0);
}

TEST_CASE("bytes written by hand from the picture") {
  // 2 rows of 9 columns: a tail of two bytes a row and plane, even columns in the first one.
  luq::coded_matrix coded(binary_coding_codec{.group = luq::whole_row}, 2, 9);
  set_codes(coded.codes, 0, {0}, 3);
  set_codes(coded.codes, 0, {3}, 1);
  set_codes(coded.codes, 0, {8}, 2);
  coded.codes.row(1).setOnes();
  coded.groups[0].values = matrix(2, 2);
  coded.groups[0].values << 1, 0.25f, 0.5f, 0.125f;
  CHECK(hex(luq::pack(coded).bytes()) ==
        "01 02 "          // s of row 0: column 0 is bit 0 of byte 0, column 3 bit 1 of byte 1
        "1f 0f "          // s of row 1: five and four columns
        "11 00 "          // u of row 0: columns 0 and 8 are bits 0 and 4 of byte 0
        "00 00 "          // u of row 1
        "00 3c 00 38 "    // b1 of both rows
        "00 34 00 30 ");  // b2
}

TEST_CASE("every shape is packed without loss into the bytes it should take") {
  const auto tile_bytes = [](luq::index h, luq::index k) { return 2 * h * ((k + 7) / 8) + 4 * h; };
  luq_test::check_every_shape(binary_coding_codec{.group = 44}, 96, tile_bytes);
  luq_test::check_every_shape(binary_coding_codec{.group = luq::whole_row}, 66, tile_bytes);
  luq_test::check_every_shape(binary_coding_codec{.group = 1000}, 34, tile_bytes);
  luq_test::check_every_shape(binary_coding_codec{.group = 1}, 4, tile_bytes);
  luq_test::check_every_shape(basic_binary_coding_codec<float>{.group = 44}, 50,
                              [](luq::index h, luq::index k) { return 2 * h * ((k + 7) / 8) + 8 * h; });
}

TEST_CASE("a group of 128 columns and fp16 takes 2.25 bits a weight") {
  CHECK(8.0 * static_cast<double>(luq::packed_bytes(binary_coding_codec{}, 64, 4096)) / (64 * 4096) == 2.25);
}

TEST_CASE("no other two magnitudes have a smaller error, plain or weighted") {
  const basic_binary_coding_codec<float> codec{.group = luq::whole_row};
  luq_test::for_each_small_row(9, [&](const matrix& w, const std::vector<float>& importance) {
    const auto coded = luq_test::code_nearest(codec, w, importance);
    const double error = luq_test::weighted_error(w, coded.decode(), importance);
    const double energy = luq_test::weighted_error(w, matrix::Zero(1, 9), importance);
    CHECK(std::abs(error - least_error(w, importance)) <= 1e-6 * energy);
    CHECK(coded.groups[0].values(0, 0) >= coded.groups[0].values(0, 1));  // the small magnitude is not negative
  });
}

TEST_CASE("magnitudes worked by hand") {
  matrix W(1, 5);
  W << 1, -1, 5, -7, 2;  // 1 1 2 | 5 7 leaves 2/3 + 2; 1 1 | 2 5 7 leaves 12.7; 1 1 2 5 | 7 leaves 10.75
  const auto parameters = [&](std::vector<float> importance) {
    return luq::fit_group(binary_coding_codec{}, W, importance).values;
  };
  const auto stored = [](float x) { return static_cast<float>(luq::half(x)); };
  CHECK(parameters({})(0, 0) == stored((6.0f + 4.0f / 3) / 2));
  CHECK(parameters({})(0, 1) == stored((6.0f - 4.0f / 3) / 2));
  const matrix of_two = parameters({1, 1, 1, 3, 0});  // 1 1 | 5 7 7 7
  CHECK(of_two(0, 0) == 3.75f);
  CHECK(of_two(0, 1) == 2.75f);
  const matrix of_one = parameters({0, 0, 0, 4, 0});
  CHECK(of_one(0, 0) == 7.0f);
  CHECK(of_one(0, 1) == 0.0f);
  CHECK(parameters({0, 0, 0, 0, 0}) == parameters({}));
}

TEST_CASE("the largest fp16 magnitudes are fitted, the next are bad data") {
  CHECK(luq::fit_group(binary_coding_codec{}, matrix::Constant(1, 8, -65519.0f), {}).values(0, 0) == 65504.0f);
  luq_test::check_fails(luq::errc::non_finite, "65520",
                        [] { (void)luq::fit_group(binary_coding_codec{}, matrix::Constant(1, 8, -65520.0f), {}); });
}

TEST_CASE("groups without anything to fit") {
  luq_test::check_degenerate_groups(binary_coding_codec{}, 0x1p-11f);
  luq_test::check_degenerate_groups(basic_binary_coding_codec<float>{}, 0x1p-22f);
}

TEST_CASE("fitted parameters survive packing") {
  luq_test::check_fitted_parameters_survive(binary_coding_codec{.group = 16});
  luq_test::check_fitted_parameters_survive(basic_binary_coding_codec<float>{.group = 16});
}

TEST_CASE("the error on normal weights is the one of theory") {
  // The best four symmetric levels of a normal distribution leave 0.1175 (Max 1960); two magnitudes for each 128
  // weights leave 0.1135.
  const double error = luq_test::error_on_normal_weights(binary_coding_codec{});
  CHECK(error > 0.98 * 0.1135);
  CHECK(error < 1.02 * 0.1135);
}

TEST_CASE("names and equality") {
  CHECK(luq::codec_name(binary_coding_codec{}) == "bcq2:g128");
  CHECK(luq::codec_name(basic_binary_coding_codec<float>{.group = 7}) == "bcq2:g7:f32");
  CHECK(binary_coding_codec{.group = 7} == binary_coding_codec{.group = 7});
  CHECK(binary_coding_codec{.group = 7} != binary_coding_codec{});
}
