// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/codecs/trellis_codec.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include "codec_test_support.hpp"

using luq::basic_trellis_codec;
using luq::matrix;
using luq::trellis_codec;
using luq_test::hex;

namespace {

/// Calls check(codec) for each radix, with that group.
template <class Check>
void for_each_radix(luq::index group, Check&& check) {
  check(trellis_codec<2>{.group = group});
  check(trellis_codec<3>{.group = group});
  check(trellis_codec<4>{.group = group});
  check(trellis_codec<8>{.group = group});
  check(trellis_codec<16>{.group = group});
}

/// The codes that a sequence of symbols stands for.
template <class Codec>
std::vector<luq::code> codes_of(const std::vector<int>& symbols) {
  std::vector<luq::code> codes;
  luq::code previous = 0;
  for (const int symbol : symbols) codes.push_back(previous = Codec::next(previous, symbol));
  return codes;
}

}  // namespace

TEST_CASE("the state is the number written by the last symbols") {
  for_each_radix(8, [](const auto& codec) {
    using Codec = std::decay_t<decltype(codec)>;
    constexpr int radix = luq::levels<Codec>();
    CAPTURE(radix);
    std::vector<int> symbols;
    for (std::uint64_t i = 0; i < 60; ++i) {
      symbols.push_back(static_cast<int>(luq::counter_rng(1).below(i, static_cast<std::uint64_t>(radix))));
    }
    const std::vector<luq::code> codes = codes_of<Codec>(symbols);
    for (std::size_t t = 0; t < codes.size(); ++t) {
      int expected = 0;
      for (std::size_t i = t < Codec::window ? 0 : t + 1 - Codec::window; i <= t; ++i) {
        expected = expected * radix + symbols[i];
      }
      CHECK(codes[t] == expected);
      CHECK(codes[t] % radix == symbols[t]);
    }
  });
}

TEST_CASE("levels are integers that an 8-bit product can take, with the spread of a normal variable") {
  for_each_radix(8, [](const auto& codec) {
    using Codec = std::decay_t<decltype(codec)>;
    double sum = 0;
    double square = 0;
    double fourth = 0;
    std::set<int> distinct;
    for (int q = 0; q < Codec::code_count; ++q) {
      const int level = Codec::component(static_cast<luq::code>(q), 0);
      const auto product = static_cast<std::uint32_t>(q) * 0x54b1e187u;
      CHECK(level ==
            static_cast<int>((product & 63) + (product >> 8 & 63) + (product >> 16 & 63) + (product >> 24 & 63)) - 126);
      distinct.insert(level);
      sum += level;
      square += level * level;
      fourth += std::pow(level, 4);
    }
    const double n = Codec::code_count;
    CHECK(std::abs(sum / n) < 0.5);
    CHECK(std::sqrt(square / n) == doctest::Approx(std::sqrt(4 * (64.0 * 64 - 1) / 12)).epsilon(0.01));
    CHECK(n * fourth / (square * square) == doctest::Approx(3).epsilon(0.15));  // a uniform variable has 1.8
    CHECK(distinct.size() > 150);
  });
  CHECK(trellis_codec<2>::component(0, 0) == -126);
  CHECK(trellis_codec<2>::component(1, 0) == 0x14 + 0x31 + 0x21 + 0x07 - 126);  // bytes 54 b1 e1 87, six bits of each
}

TEST_CASE("a decoded value is the scale times the level") {
  constexpr std::array<float, 1> parameters{0x1p-6f};
  for_each_radix(64, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    luq_test::check_linear_form(codec, parameters);
  });
}

TEST_CASE("bytes written by hand from the picture") {
  // 1 row of 9 columns: a byte of eight symbols, and one of one symbol, both in the tail.
  luq::coded_matrix coded(trellis_codec<2>{.group = 9}, 1, 9);
  const auto codes = codes_of<trellis_codec<2>>({1, 0, 0, 1, 1, 0, 0, 0, 1});
  for (std::size_t c = 0; c < codes.size(); ++c) coded.codes(0, static_cast<luq::index>(c)) = codes[c];
  coded.groups[0].values = matrix::Constant(1, 1, 0.5f);
  CHECK(hex(luq::pack(coded).bytes()) == "15 02 00 38 ");  // even columns in byte 0: 1 0 1 0 1; odd ones in byte 1: 0 1
  CHECK(luq::pack(coded).unpack().codes == coded.codes);
}

TEST_CASE("every shape is packed without loss into the bytes it should take") {
  luq_test::check_every_shape(trellis_codec<2>{.group = 44}, 96,
                              [](luq::index h, luq::index k) { return h * ((k + 7) / 8) + 2 * h; });
  luq_test::check_every_shape(trellis_codec<3>{.group = 32}, 70,
                              [](luq::index h, luq::index k) { return h * ((k + 4) / 5) + 2 * h; });
  luq_test::check_every_shape(trellis_codec<4>{.group = luq::whole_row}, 40,
                              [](luq::index h, luq::index k) { return h * ((k + 3) / 4) + 2 * h; });
  luq_test::check_every_shape(trellis_codec<8>{.group = 24}, 50,
                              [](luq::index h, luq::index k) { return h * ((k + 3) / 4 + (k + 7) / 8) + 2 * h; });
  luq_test::check_every_shape(trellis_codec<16>{.group = 24}, 30,
                              [](luq::index h, luq::index k) { return h * ((k + 1) / 2) + 2 * h; });
  luq_test::check_every_shape(basic_trellis_codec<4, float>{.group = 1}, 4,
                              [](luq::index h, luq::index k) { return h * ((k + 3) / 4) + 4 * h; });
}

TEST_CASE("the true bits of the usual group sizes") {
  const auto bits = [](const auto& codec) {
    return 8.0 * static_cast<double>(luq::packed_bytes(codec, 64, 4096)) / (64 * 4096);
  };
  CHECK(bits(trellis_codec<2>{}) == 1.03125);
  CHECK(bits(trellis_codec<2>{.group = luq::whole_row}) == 1 + 16.0 / 4096);
  CHECK(bits(trellis_codec<3>{}) == (103 * 8 + 16) / 512.0);
  CHECK(bits(trellis_codec<4>{}) == 2.03125);
  CHECK(bits(trellis_codec<8>{}) == 3.03125);
  CHECK(bits(trellis_codec<16>{}) == 4.03125);
}

TEST_CASE("the sequence found is the best of all, plain or weighted") {
  // Few columns, so that all sequences of symbols can be tried under the scale found.
  const auto check = [](const auto& codec, luq::index columns) {
    using Codec = std::decay_t<decltype(codec)>;
    CAPTURE(luq::codec_name(codec));
    luq_test::for_each_small_row(columns, [&](const matrix& w, const std::vector<float>& importance) {
      auto coded = luq_test::code_nearest(codec, w, importance);
      const double error = luq_test::weighted_error(w, coded.decode(), importance);
      long sequences = 1;
      for (luq::index c = 0; c < columns; ++c) sequences *= luq::levels<Codec>();
      double least = std::numeric_limits<double>::infinity();
      for (long sequence = 0; sequence < sequences; ++sequence) {
        long rest = sequence;
        luq::code q = 0;
        for (luq::index c = 0; c < columns; ++c, rest /= luq::levels<Codec>()) {
          coded.codes(0, c) = q = Codec::next(q, static_cast<int>(rest % luq::levels<Codec>()));
        }
        least = std::min(least, luq_test::weighted_error(w, coded.decode(), importance));
      }
      // The scale was fitted to the sequence after the search, which can only have lowered this sequence's error.
      const double energy = luq_test::weighted_error(w, matrix::Zero(1, columns), importance);
      CHECK(error <= least + 0.05 * energy);
      CHECK(error >= least * (1 - 1e-6));
    });
  };
  check(basic_trellis_codec<2, float>{.group = luq::whole_row}, 7);
  check(basic_trellis_codec<3, float>{.group = luq::whole_row}, 5);
  check(basic_trellis_codec<4, float>{.group = luq::whole_row}, 4);
  check(basic_trellis_codec<8, float>{.group = luq::whole_row}, 3);
  check(basic_trellis_codec<16, float>{.group = luq::whole_row}, 3);
}

TEST_CASE("the error on normal weights is the one stated, between the scalar codes and the bound") {
  const matrix W = luq::random_normal_matrix(2, 4096, luq::counter_rng(5));
  const auto check = [&](const auto& codec, double stated, double scalar, double bound) {
    CAPTURE(luq::codec_name(codec));
    const double error = luq_test::relative_error(W, luq_test::code_nearest(codec, W).decode());
    CHECK(error == doctest::Approx(stated).epsilon(0.02));
    CHECK(error < 0.8 * scalar);
    CHECK(error > bound);
    const double grouped = luq_test::error_on_normal_weights(codec, 16, 1024);  // 128 columns from state 0 each
    CHECK(grouped > error);
    CHECK(grouped < 1.2 * error);
  };
  check(trellis_codec<2>{.group = luq::whole_row}, 0.277, 0.363, 0.250);
  check(trellis_codec<3>{.group = luq::whole_row}, 0.1225, 0.190, 0.111);
  check(trellis_codec<4>{.group = luq::whole_row}, 0.0723, 0.1175, 0.0625);
  check(trellis_codec<8>{.group = luq::whole_row}, 0.0195, 0.0345, 0.0156);
  check(trellis_codec<16>{.group = luq::whole_row}, 0.0051, 0.0095, 0.0039);
}

TEST_CASE("groups without anything to fit, and parameters in storage") {
  for_each_radix(16, [](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    matrix W = luq::random_normal_matrix(4, 12, luq::counter_rng(12));
    W.row(1).setZero();
    const luq::coded_group group = luq::code_group(codec, W, {});
    CHECK(group.parameters.values(1, 0) == 0.0f);
    CHECK(group.parameters.values.allFinite());
    CHECK(luq::code_group(codec, matrix::Zero(3, 5), {}).parameters.values.isZero(0));
    CHECK(luq::code_group(codec, W, std::vector<float>(12, 0.0f)).parameters.values.allFinite());
    CHECK(luq::code_group(codec, matrix(0, 5), {}).codes.size() == 0);
    W.setConstant(std::numeric_limits<float>::denorm_min());
    CHECK(luq::code_group(codec, W, {}).parameters.values.isZero(0));
    W.setConstant(0x1p60f);
    luq_test::check_fails(luq::errc::non_finite, "does not fit its 16-bit storage type",
                          [&] { (void)luq::fit_group(codec, W, {}); });
    luq_test::check_fitted_parameters_survive(codec);
  });
}

TEST_CASE("names and equality") {
  CHECK(luq::codec_name(trellis_codec<2>{}) == "trellis1:g512");
  CHECK(luq::codec_name(basic_trellis_codec<3, float>{.group = 128}) == "trellis1.58:g128:f32");
  CHECK(trellis_codec<4>{} == trellis_codec<4>{.group = 512});
  CHECK(trellis_codec<4>{} != trellis_codec<4>{.group = 32});
}
