// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/gguf/ggml_blocks.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codecs/random_coded_matrix.hpp"
#include "io/gguf/gguf_reference.hpp"
#include "io/io_test_support.hpp"
#include "luq/codecs/hadamard_rotation.hpp"
#include "luq/core/random.hpp"

using luq::errc;
using luq::ggml_type;
using luq_test::check_fails;

namespace {

/// The float of an IEEE half, by its definition.
float half_value(unsigned bits) {
  const float sign = (bits & 0x8000u) != 0 ? -1.0f : 1.0f;
  const auto exponent = static_cast<int>((bits >> 10) & 31u);
  const auto fraction = static_cast<float>(bits & 1023u);
  return sign * (exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024.0f + fraction, exponent - 25));
}

/// What blocks mean, written down from the table of formats and from nothing else here.
luq::matrix decode_blocks(ggml_type type, std::span<const std::byte> bytes, luq::index rows, luq::index cols) {
  const auto byte = [&](luq::index position) {
    return std::to_integer<unsigned>(bytes[static_cast<std::size_t>(position)]);
  };
  luq::matrix W(rows, cols);
  for (luq::index weight = 0; weight < rows * cols; ++weight) {
    float value = 0;
    if (type == ggml_type::q1_0) {
      const luq::index block = weight / 128 * 18;
      const luq::index j = weight % 128;
      const float d = half_value(byte(block) + 256 * byte(block + 1));
      value = ((byte(block + 2 + j / 8) >> (j % 8)) & 1u) != 0 ? d : -d;
    } else if (type == ggml_type::q4_0) {
      const luq::index block = weight / 32 * 18;
      const luq::index j = weight % 32;
      const float d = half_value(byte(block) + 256 * byte(block + 1));
      const unsigned packed = byte(block + 2 + j % 16);
      value = static_cast<float>(static_cast<int>(j < 16 ? packed & 15u : packed >> 4) - 8) * d;
    } else if (type == ggml_type::tq2_0) {
      const luq::index block = weight / 256 * 66;
      const luq::index j = weight % 256;
      const float d = half_value(byte(block + 64) + 256 * byte(block + 65));
      const unsigned four = byte(block + j / 128 * 32 + j % 32);
      value = static_cast<float>(static_cast<int>((four >> (j % 128 / 32 * 2)) & 3u) - 1) * d;
    } else {
      const luq::index block = weight / 32 * 34;
      const float d = half_value(byte(block) + 256 * byte(block + 1));
      value = static_cast<float>(static_cast<std::int8_t>(byte(block + 2 + weight % 32))) * d;
    }
    W(weight / cols, weight % cols) = value;
  }
  return W;
}

bool same_bits(const luq::matrix& a, const luq::matrix& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() &&
         std::equal(a.data(), a.data() + a.size(), b.data(), [](float x, float y) {
           return std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y);
         });
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return luq_test::bytes_of(text);
}

/// Random codes and scales of either sign, which sign_codec and ternary_codec do not have.
template <class Codec>
luq::coded_matrix<Codec> random_matrix(const Codec& codec, luq::index rows, luq::index cols, std::uint64_t seed) {
  luq::coded_matrix<Codec> coded = luq_test::random_coded_matrix(codec, rows, cols, seed);
  if constexpr (std::is_same_v<Codec, luq::sign_codec> || std::is_same_v<Codec, luq::ternary_codec>) {
    for (auto& group : coded.groups) group.values = group.values.cwiseAbs();
  }
  return coded;
}

/// To blocks and back, for shapes whose rows and groups end anywhere.
template <class Codec>
void check_both_ways(Codec codec, ggml_type type, luq::index block, luq::index block_bytes) {
  for (const luq::index group : {block, 2 * block, 3 * block, 128 * block, luq::whole_row}) {
    codec.group = group;
    for (const luq::index blocks :
         {luq::index{0}, luq::index{1}, luq::index{2}, luq::index{3}, luq::index{4}, luq::index{7}}) {
      for (const luq::index rows : {luq::index{0}, luq::index{1}, luq::index{3}, luq::index{64}, luq::index{65}}) {
        CAPTURE(group);
        CAPTURE(blocks);
        CAPTURE(rows);
        const luq::index cols = blocks * block;
        const luq::packed_matrix<Codec> packed =
            luq::pack(random_matrix(codec, rows, cols, static_cast<std::uint64_t>(group + 31 * blocks + 7 * rows)));
        CHECK(luq::ggml_blocks_fault(codec, cols).empty());
        CHECK((luq::ggml_blocks_type(codec, cols) == type));
        const std::vector<std::byte> bytes = luq::to_ggml_blocks(packed);
        REQUIRE(static_cast<luq::index>(bytes.size()) == rows * blocks * block_bytes);
        CHECK(same_bits(decode_blocks(type, bytes, rows, cols), packed.unpack().decode()));
        CHECK(luq::to_ggml_blocks(luq::any_packed_matrix(packed)) == bytes);
        const luq::packed_matrix<Codec> back = luq::from_ggml_blocks(codec, bytes, rows, cols);
        CHECK(back.codec() == codec);
        CHECK(std::ranges::equal(back.bytes(), packed.bytes()));
      }
    }
  }
}

TEST_CASE("signs are q1_0, integers q4_0 and q8_0, bit for bit in both directions") {
  check_both_ways(luq::sign_codec{}, ggml_type::q1_0, 128, 18);
  check_both_ways(luq::ternary_codec{}, ggml_type::tq2_0, 256, 66);
  check_both_ways(luq::int_codec<4>{.symmetric = true}, ggml_type::q4_0, 32, 18);
  check_both_ways(luq::int_codec<8>{.symmetric = true, .range = luq::int_range::searched}, ggml_type::q8_0, 32, 34);
}

TEST_CASE("any blocks of q1_0, q4_0 and q8_0 become the same weights") {
  const auto check = [](const auto& codec, ggml_type type, luq::index block, luq::index block_bytes) {
    CAPTURE(luq::ggml_type_name(type));
    constexpr luq::index rows = 70;
    const luq::index cols = 3 * block;
    const luq::counter_rng rng(static_cast<std::uint64_t>(block_bytes), 3);
    std::vector<std::byte> bytes;
    for (luq::index b = 0; b < rows * 3; ++b) {
      for (luq::index i = 0; i < block_bytes; ++i) {
        bytes.push_back(static_cast<std::byte>(rng.below(static_cast<std::uint64_t>(bytes.size()), 256)));
      }
      std::byte& high = bytes[static_cast<std::size_t>(b * block_bytes + 1)];
      if ((std::to_integer<unsigned>(high) & 0x7cu) == 0x7cu) high = std::byte{0x80};  // finite: subnormal, negative
    }
    bytes[0] = std::byte{0};
    bytes[1] = std::byte{0x80};  // -0
    const auto packed = luq::from_ggml_blocks(codec, bytes, rows, cols);
    CHECK(same_bits(packed.unpack().decode(), decode_blocks(type, bytes, rows, cols)));
    if (type == ggml_type::q1_0) {
      for (const auto& group : packed.unpack().groups) {
        CHECK((group.values.array() >= 0.0f).all());
        CHECK_FALSE(std::any_of(group.values.data(), group.values.data() + group.values.size(),
                                [](float scale) { return std::signbit(scale); }));
      }
    } else {
      CHECK(luq::to_ggml_blocks(packed) == bytes);
    }
  };
  check(luq::sign_codec{.group = 128}, ggml_type::q1_0, 128, 18);
  check(luq::int_codec<4>{.group = 32, .symmetric = true}, ggml_type::q4_0, 32, 18);
  check(luq::int_codec<8>{.group = 32, .symmetric = true}, ggml_type::q8_0, 32, 34);
}

TEST_CASE("tq2_0 holds weights that no ternary code is") {
  std::vector<std::byte> bytes(66);
  bytes[65] = std::byte{0xbc};  // d = -1
  CHECK(luq::from_ggml_blocks(luq::ternary_codec{.group = 256}, bytes, 1, 256).unpack().decode() ==
        luq::matrix::Constant(1, 256, 1.0f));
  bytes[5] = std::byte{0xc0};
  check_fails(errc::unsupported, "a weight of twice the scale",
              [&] { (void)luq::from_ggml_blocks(luq::ternary_codec{.group = 256}, bytes, 1, 256); });
}

TEST_CASE("golden bytes") {
  // One row of 128 signs, positive where the column is a multiple of 3, scale 0.75 = 0x3a00.
  luq::coded_matrix<luq::sign_codec> signs(luq::sign_codec{.group = 128}, 1, 128);
  for (luq::index c = 0; c < 128; c += 3) signs.codes(0, c) = 1;
  signs.groups[0].values = luq::matrix::Constant(1, 1, 0.75f);
  CHECK(std::ranges::equal(luq::to_ggml_blocks(luq::pack(signs)),
                           bytes_of(luq_test::from_hex("003a499224499224499224499224499224"
                                                       "49"))));

  // Two blocks of 32 in one group of 64: codes c % 16 and 15 - c % 16, scale -2 = 0xc000 in both.
  luq::coded_matrix<luq::int_codec<4>> integers(luq::int_codec<4>{.group = 64, .symmetric = true}, 1, 64);
  for (luq::index c = 0; c < 64; ++c) integers.codes(0, c) = static_cast<luq::code>(c < 32 ? c % 16 : 15 - c % 16);
  integers.groups[0].values.resize(1, 2);
  integers.groups[0].values << -2.0f, 8.0f;
  CHECK(std::ranges::equal(luq::to_ggml_blocks(luq::pack(integers)),
                           bytes_of(luq_test::from_hex("00c000112233445566778899aabbccddeeff"
                                                       "00c0ffeeddccbbaa99887766554433221100"))));

  // Codes 0, 8, 16, ... 248 are -128, -120, ... 120; scale 1 = 0x3c00.
  luq::coded_matrix<luq::int_codec<8>> bytes(luq::int_codec<8>{.group = 32, .symmetric = true}, 1, 32);
  for (luq::index c = 0; c < 32; ++c) bytes.codes(0, c) = static_cast<luq::code>(8 * c);
  bytes.groups[0].values.resize(1, 2);
  bytes.groups[0].values << 1.0f, 128.0f;
  CHECK(std::ranges::equal(luq::to_ggml_blocks(luq::pack(bytes)),
                           bytes_of(luq_test::from_hex("003c80889098a0a8b0b8c0c8d0d8e0e8f0f8"
                                                       "00081018202830384048505860687078"))));
}

TEST_CASE("why a codec, a group or a number of columns has no lossless form") {
  struct row {
    const char* codec;
    luq::index cols;
    std::string_view reason;
  };
  const row rows[] = {
      {"sign:g128", 11000, "sign:g128: 11000 columns are not a multiple of 128, the block of q1_0"},
      {"sign:g0", 192, "sign:g0: 192 columns are not a multiple of 128"},
      {"sign:g64", 4096, "sign:g64: groups of 64 columns are not a multiple of 128, the block of q1_0"},
      {"sign:g192", 4096, "sign:g192: groups of 192 columns are not a multiple of 128"},
      {"int4:g128:sym", 3420, "int4:g128:sym: 3420 columns are not a multiple of 32, the block of q4_0"},
      {"int4:g16:sym", 4096, "int4:g16:sym: groups of 16 columns are not a multiple of 32"},
      {"int4:g48:sym", 4096, "groups of 48 columns are not a multiple of 32"},
      {"int4:g128", 4096, "int4:g128 stores zero points, for which blocks of ggml have no lossless form"},
      {"int8:g128", 4096, "int8:g128 stores zero points"},
      {"int8:g8:sym", 4096, "groups of 8 columns are not a multiple of 32, the block of q8_0"},
      {"int2:g64:sym", 4096, "int2:g64:sym has no lossless form in blocks of ggml"},
      {"int3:g64:sym", 4096, "has no lossless form"},
      {"ternary:g128", 4096, "ternary:g128: groups of 128 columns are not a multiple of 256, the block of tq2_0"},
      {"bcq2:g128", 4096, "has no lossless form"},
      {"lloyd4:g128", 4096, "has no lossless form"},
      {"trellis1:g256", 4096, "has no lossless form"},
      {"billm:g128", 4096, "has no lossless form"},
  };
  for (const row& expected : rows) {
    CAPTURE(expected.codec);
    const luq::any_codec codec = luq::parse_codec(expected.codec);
    CHECK(luq::ggml_blocks_fault(codec, expected.cols).find(expected.reason) != std::string::npos);
    check_fails(errc::unsupported, expected.reason,
                [&] { static_cast<void>(luq::ggml_blocks_type(codec, expected.cols)); });
    const luq::any_packed_matrix packed = luq::make_packed_matrix(
        codec, 1, expected.cols,
        luq::aligned_buffer<std::byte>(static_cast<std::size_t>(luq::packed_bytes(codec, 1, expected.cols))));
    check_fails(errc::unsupported, expected.reason, [&] { static_cast<void>(luq::to_ggml_blocks(packed)); });
  }
  CHECK(luq::ggml_blocks_fault(luq::parse_codec("sign:g4096"), 1024).empty());  // one group is the whole row
  CHECK_FALSE(luq::ggml_blocks_fault(luq::parse_codec("sign:g4096"), 1000).empty());
}

TEST_CASE("bytes that are not blocks of the shape, or not of the codec") {
  const luq::sign_codec signs{.group = 128};
  const luq::int_codec<4> integers{.group = 32, .symmetric = true};
  const std::vector<std::byte> two(36);
  for (const std::size_t size : {0u, 18u, 35u, 37u, 54u}) {
    CAPTURE(size);
    const std::vector<std::byte> bytes(size);
    check_fails(errc::shape_mismatch, "expected 2 blocks of 18 bytes for q1_0, 2 x 128, got " + std::to_string(size),
                [&] { static_cast<void>(luq::from_ggml_blocks(signs, bytes, 2, 128)); });
  }
  check_fails(errc::unsupported, "64 columns are not a multiple of 128",
              [&] { static_cast<void>(luq::from_ggml_blocks(signs, two, 4, 64)); });
  check_fails(errc::unsupported, "stores zero points",
              [&] { static_cast<void>(luq::from_ggml_blocks(luq::int_codec<4>{.group = 32}, two, 2, 32)); });
  for (const unsigned high : {0x7cu, 0xfcu, 0x7eu}) {  // infinities and a NaN
    std::vector<std::byte> bytes(36);
    bytes[19] = static_cast<std::byte>(high);
    check_fails(errc::corrupt_file, "q4_0: the scale of row 0, columns from 32 is not finite",
                [&] { static_cast<void>(luq::from_ggml_blocks(integers, bytes, 1, 64)); });
    check_fails(errc::corrupt_file, "q1_0: the scale of row 1, columns from 0 is not finite",
                [&] { static_cast<void>(luq::from_ggml_blocks(signs, bytes, 2, 128)); });
  }
  std::vector<std::byte> differing(36);
  differing[18] = std::byte{1};
  check_fails(
      errc::unsupported, "row 0, columns from 32: the scale 5.96046e-08 is not that of the group of 64, 0", [&] {
        static_cast<void>(luq::from_ggml_blocks(luq::int_codec<4>{.group = 64, .symmetric = true}, differing, 1, 64));
      });
  CHECK_NOTHROW(static_cast<void>(luq::from_ggml_blocks(integers, differing, 1, 64)));
  // Scales of opposite sign are one scale and inverted signs.
  std::vector<std::byte> opposite(36);
  opposite[1] = std::byte{0x3c};
  opposite[19] = std::byte{0xbc};
  const auto packed = luq::from_ggml_blocks(luq::sign_codec{.group = 256}, opposite, 1, 256);
  CHECK(packed.at(0, 127) == -1.0f);
  CHECK(packed.at(0, 128) == 1.0f);
}

}  // namespace

TEST_CASE("codes of transformed inputs have no blocks") {
  luq::coded_matrix<luq::sign_codec> coded = luq_test::random_coded_matrix(luq::sign_codec{.group = 128}, 4, 128, 1);
  CHECK_NOTHROW(static_cast<void>(luq::to_ggml_blocks(luq::pack(coded))));
  coded.transform = std::make_shared<luq::hadamard_rotation>(128);
  check_fails(errc::unsupported, "blocks of ggml: expected inputs as they are, got the transform hadamard",
              [&] { static_cast<void>(luq::to_ggml_blocks(luq::pack(coded))); });
}
