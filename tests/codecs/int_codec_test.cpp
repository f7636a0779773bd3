// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Codes and their storage; how a range is chosen is in int_codec_range_test.cpp.
#include "luq/codecs/int_codec.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "codec_test_support.hpp"
#include "int_codec_list.hpp"

using luq::basic_int_codec;
using luq::int_codec;
using luq::int_range;
using luq::matrix;
using luq_test::for_each_int_codec;
using luq_test::hex;

TEST_CASE("every code and zero point: w = scale (q - zero), and the nearest value is chosen") {
  for_each_int_codec({}, [](const auto& codec, unsigned bits) {
    CAPTURE(luq::codec_name(codec));
    const int levels = 1 << bits;
    for (int zero = 0; zero < levels; ++zero) {
      const std::array<float, 2> parameters{0.5f, static_cast<float>(zero)};
      for (int q = 0; q < levels; ++q) {
        REQUIRE(luq::decode_weight(codec, static_cast<luq::code>(q), parameters.data(), 0) ==
                0.5f * static_cast<float>(q - zero));
        REQUIRE(codec.component(static_cast<luq::code>(q), 0) == q - levels / 2);
      }
      if (bits == 8 && zero % 51 != 0) continue;
      luq_test::check_linear_form(codec, parameters);
      const float first = -0.5f * static_cast<float>(zero + 3);
      const float last = 0.5f * static_cast<float>(levels - zero + 3);
      luq_test::check_encode_is_nearest(codec, parameters, luq_test::ramp(first, last, 0.125f));
    }
    // A scale that makes every quotient round.
    const std::array<float, 2> tenths{0.1f, static_cast<float>(levels / 2)};
    const auto weights = luq_test::ramp(-0.2f * static_cast<float>(levels), 0.2f * static_cast<float>(levels), 0x1p-6f);
    luq_test::check_encode_is_nearest(codec, tenths, weights, 0, 0x1p-22);
  });
}

TEST_CASE("codes half way between two values tie to even steps, and clamp at both ends") {
  const auto encode = [](float w, float zero) {
    const std::array<float, 2> parameters{2.0f, zero};
    return static_cast<int>(int_codec<4>{}.encode(w, parameters.data(), 0));
  };
  CHECK(encode(1, 5) == 5);  // half a step goes to 0, one and a half to 2, two and a half to 2
  CHECK(encode(3, 5) == 7);
  CHECK(encode(5, 5) == 7);
  CHECK(encode(-1, 5) == 5);
  CHECK(encode(-3, 5) == 3);
  CHECK(encode(-5, 5) == 3);
  CHECK(encode(1, 4) == 4);  // of the step, whatever the zero point
  CHECK(encode(3, 4) == 6);
  constexpr float greatest = std::numeric_limits<float>::max();
  CHECK(encode(greatest, 5) == 15);
  CHECK(encode(-greatest, 5) == 0);
  const std::array<float, 2> tiny{std::numeric_limits<float>::denorm_min(), 5};  // the quotient overflows
  CHECK(int_codec<4>{}.encode(greatest, tiny.data(), 0) == 15);
  CHECK(int_codec<4>{}.encode(-greatest, tiny.data(), 0) == 0);
}

TEST_CASE("bytes written by hand from the picture") {
  const auto packed = [](const auto& codec, const std::vector<int>& codes, const matrix& parameters) {
    const luq::index rows = parameters.rows();
    luq::coded_matrix coded(codec, rows, static_cast<luq::index>(codes.size()) / rows);
    for (std::size_t i = 0; i < codes.size(); ++i) {
      coded.codes.data()[i] = static_cast<luq::code>(codes[i]);
    }
    coded.groups[0].values = parameters;
    return hex(luq::pack(coded).bytes());
  };
  matrix one(1, 2);
  matrix two(2, 2);
  matrix three(3, 2);

  one << 1, 2;
  CHECK(packed(int_codec<2>{}, {3, 2, 1, 0, 3}, one) ==
        "37 02 "  // a tail of two bytes: columns 0, 2, 4 in byte 0, columns 1, 3 in byte 1
        "00 3c "  // scale
        "02 ");   // zero point

  two << 1, 5, 0.25f, 7;
  CHECK(packed(int_codec<3>{}, {0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1,  //
                                7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7},
               two) ==
        "00 55 aa ff "  // low 2 bits of row 0: columns b, b+4, b+8, b+12 of byte b are all b
        "ff ff ff ff "
        "04 0f "     // columns 16 and 17 of both rows
        "34 16 12 "  // high bits of row 0, set in columns 4-7 and 12-15: 6, 12, 15 are slots 2, 4, 5 of byte 0;
                     // 4, 7, 13 slots 1, 2, 4 of byte 1; 5, 14 slots 1, 4 of byte 2
        "3f 3f 3f "  // six slots of each byte
        "00 3c 00 34 "
        "3d ");  // zero points 5 + (7 << 3)

  three << 0.5f, 3, 1, 15, 2, 8;
  const std::vector<int> nibbles{0,  1,  2,  3,  4,  5,  6,  7,  8,  9,   //
                                 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,  //
                                 15, 0,  0,  0,  0,  0,  0,  14, 0,  13};
  const std::string nibble_bytes =
      "40 51 62 73 "  // row 0: columns b and b+4 in byte b, the former in the low nibble
      "ff ff ff ff "
      "0f 00 00 e0 "
      "98 ff d0 "  // columns 8 and 9 of each row
      "00 38 00 3c 00 40 ";
  CHECK(packed(int_codec<4>{}, nibbles, three) == nibble_bytes + "f3 08 ");  // zero points 3 + (15 << 4), 8
  three.col(1).setConstant(8);
  CHECK(packed(int_codec<4>{.symmetric = true}, nibbles, three) == nibble_bytes);

  two << 1, 128, -2, 7;
  CHECK(packed(basic_int_codec<8, float>{}, {16, 32, 48, 64, 80, 96, 255, 0, 1, 2, 3, 4}, two) ==
        "10 20 30 40 "  // row 0: a word of four columns
        "ff 00 01 02 "
        "50 60 03 04 "  // tails of two columns
        "00 00 80 3f 00 00 00 c0 "
        "80 07 ");
}

TEST_CASE("every shape is packed without loss into the bytes it should take") {
  struct extent {
    luq::index group, most_columns;
  };
  for (const extent& e : {extent{44, 50}, extent{7, 17}, extent{luq::whole_row, 36}, extent{1, 3}}) {
    for_each_int_codec({.group = e.group}, [&](const auto& codec, unsigned bits) {
      const luq::index scale_bytes = luq::codec_name(codec).ends_with(":f32") ? 4 : 2;
      luq_test::check_every_shape(codec, e.most_columns, [&](luq::index h, luq::index k) {
        const luq::index codes = bits == 3 ? (k + 3) / 4 + (k + 7) / 8 : (k * bits + 7) / 8;
        const luq::index zeros = codec.symmetric ? 0 : (h * bits + 7) / 8;
        return h * codes + h * scale_bytes + zeros;
      });
    });
  }
}

TEST_CASE("the true bits of groups of 128 columns and fp16 scales") {
  const auto bits = [](const auto& codec) {
    return 8.0 * static_cast<double>(luq::packed_bytes(codec, 64, 4096)) / (64 * 4096);
  };
  CHECK(bits(int_codec<2>{}) == 2 + 18.0 / 128);
  CHECK(bits(int_codec<3>{}) == 3 + 19.0 / 128);
  CHECK(bits(int_codec<4>{}) == 4 + 20.0 / 128);
  CHECK(bits(int_codec<8>{}) == 8 + 24.0 / 128);
  CHECK(bits(int_codec<2>{.symmetric = true}) == 2.125);
  CHECK(bits(int_codec<3>{.symmetric = true}) == 3.125);
  CHECK(bits(int_codec<4>{.symmetric = true}) == 4.125);
  CHECK(bits(int_codec<8>{.symmetric = true}) == 8.125);
}

TEST_CASE("fitted parameters survive packing") {
  for_each_int_codec({.group = 16},
                     [](const auto& codec, unsigned) { luq_test::check_fitted_parameters_survive(codec); });
}

TEST_CASE("names and equality") {
  CHECK(luq::codec_name(int_codec<2>{}) == "int2:g128");
  CHECK(luq::codec_name(int_codec<3>{.group = 64, .symmetric = true}) == "int3:g64:sym");
  CHECK(luq::codec_name(int_codec<4>{.group = 0, .symmetric = true, .range = int_range::searched}) ==
        "int4:g0:sym:searched");
  CHECK(luq::codec_name(basic_int_codec<8, float>{.published_one_sided_range = true}) == "int8:g128:onesided:f32");
  CHECK(int_codec<4>{} == int_codec<4>{});
  CHECK(int_codec<4>{} != int_codec<4>{.group = 64});
  CHECK(int_codec<4>{} != int_codec<4>{.symmetric = true});
  CHECK(int_codec<4>{} != int_codec<4>{.range = int_range::searched});
  CHECK(int_codec<4>{} != int_codec<4>{.published_one_sided_range = true});
}
