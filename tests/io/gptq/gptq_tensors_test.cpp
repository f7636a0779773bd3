// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/gptq/gptq_tensors.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "codecs/random_coded_matrix.hpp"
#include "io/io_test_support.hpp"
#include "luq/codecs/input_scaling.hpp"

using luq::errc;
using luq::gptq_format;
using luq_test::check_fails;

namespace {

/// Calls check(codec) for every width, symmetric or not.
template <class Check>
void for_each_codec(luq::index group, Check&& check) {
  for (const bool symmetric : {false, true}) {
    check(luq::int_codec<2>{.group = group, .symmetric = symmetric});
    check(luq::int_codec<3>{.group = group, .symmetric = symmetric});
    check(luq::int_codec<4>{.group = group, .symmetric = symmetric});
    check(luq::int_codec<8>{.group = group, .symmetric = symmetric});
  }
}

template <class Codec>
constexpr unsigned bits_of = 0;
template <unsigned Bits>
constexpr unsigned bits_of<luq::int_codec<Bits>> = Bits;

/// Random codes, scales and zero points, none of which is 0.
template <class Codec>
luq::coded_matrix<Codec> random_coded(const Codec& codec, luq::index rows, luq::index cols, std::uint64_t seed) {
  auto coded = luq_test::random_coded_matrix(codec, rows, cols, seed);
  for (auto& group : coded.groups) group.values.col(1) = group.values.col(1).cwiseMax(1.0f);
  return coded;
}

/// FNV-1a of the words' bytes, lowest first.
std::uint64_t fingerprint(const std::vector<std::int32_t>& words) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const std::int32_t word : words) {
    for (unsigned shift = 0; shift < 32; shift += 8) {
      hash = (hash ^ ((static_cast<std::uint32_t>(word) >> shift) & 0xffu)) * 0x100000001b3u;
    }
  }
  return hash;
}

using words = std::vector<std::uint32_t>;

/// A file's tensors of 32 x 32 weights, all zeros but for zero points of 1 and scales of 1.
luq::gptq_tensors plain_tensors() {
  luq::gptq_tensors t{.format = gptq_format::v1,
                      .bits = 4,
                      .rows = 32,
                      .cols = 32,
                      .group = 16,
                      .qweight = std::vector<std::int32_t>(4 * 32, 0),
                      .qzeros = std::vector<std::int32_t>(2 * 4, 0),
                      .scales = std::vector<luq::half>(2 * 32, luq::half(1.0f)),
                      .g_idx = std::vector<std::int32_t>(32, 0)};
  std::fill(t.g_idx.begin() + 16, t.g_idx.end(), 1);
  return t;
}

/// Checks that all that read tensors refuse what `spoil` makes of plain_tensors().
void check_tensors_refused(errc code, const std::string& fragment,
                           const std::function<void(luq::gptq_tensors&)>& spoil) {
  luq::gptq_tensors t = plain_tensors();
  spoil(t);
  check_fails(code, "gptq linear 'x': " + fragment, [&] { luq::require_consistent(t, "x"); });
  check_fails(code, fragment, [&] { (void)luq::gptq_zeros(t, "x"); });
  check_fails(code, fragment, [&] { (void)luq::decode_gptq(t, "x"); });
  check_fails(code, fragment, [&] { (void)luq::pack_gptq(t, "x"); });
}

}  // namespace

// Computed by a Python program from the layout alone: 32 codes are one integer, the sum of code j times 2^(j bits),
// whose little-endian bytes are cut into words. q = (7 o + 5 i + o i) mod 2^bits of output o, input i, zero point
// 1 + (3 g + 5 o) mod (2^bits - 1) of group g, 64 outputs, 96 inputs, groups of 64.
TEST_CASE_TEMPLATE("words, to the bit", Codec, luq::int_codec<2>, luq::int_codec<3>, luq::int_codec<4>,
                   luq::int_codec<8>) {
  struct golden {
    words codes;     ///< of inputs 0 ... 31, output 5
    words zeros_v2;  ///< of outputs 0 ... 31, group 1
    words zeros_v1;
    std::uint64_t qweight, qzeros_v2, qzeros_v1;  ///< fingerprints of the whole
  };
  constexpr unsigned bits = bits_of<Codec>;
  const golden expected =
      bits == 2   ? golden{{0x77777777, 0x77777777}, {0x6db6db6d, 0xdb6db6db}, {0x18618618, 0x86186186},
                           0xe5df7e6a7d0f8625,       0xa3395d804be5fca1,       0x233ec1c52767abe1}
      : bits == 3 ? golden{{0xeb3eb3eb, 0xb3eb3eb3, 0x3eb3eb3e},
                           {0x7a98bbd4, 0x62ef5317, 0xbd4c5dea},
                           {0x3174298b, 0xd0a62e85, 0x98ba14c5},
                           0x82f0d26e666bc485,
                           0x85e1de93fa1a18e4,
                           0xe6ad4eddc2bb4851}
      : bits == 4
          ? golden{{0x9f5b17d3, 0x9f5b17d3, 0x9f5b17d3, 0x9f5b17d3},
                   {0x94e94e94, 0x4e94e94e, 0xe94e94e9, 0x94e94e94},
                   {0x83d83d83, 0x3d83d83d, 0xd83d83d8, 0x83d83d83},
                   0xa39a029db28a3325,
                   0xdef884e9816340ad,
                   0xec3431bd1e28a011}
          : golden{{0x41372d23, 0x695f554b, 0x91877d73, 0xb9afa59b, 0xe1d7cdc3, 0x09fff5eb, 0x31271d13, 0x594f453b},
                   {0x130e0904, 0x27221d18, 0x3b36312c, 0x4f4a4540, 0x635e5954, 0x77726d68, 0x8b86817c, 0x9f9a9590},
                   {0x120d0803, 0x26211c17, 0x3a35302b, 0x4e49443f, 0x625d5853, 0x76716c67, 0x8a85807b, 0x9e99948f},
                   0xb19ca0e850c7c5a5,
                   0x1f0408a10b085817,
                   0x9473dcf8e6c235d7};
  luq::coded_matrix<Codec> coded(Codec{.group = 64}, 64, 96);
  for (luq::index o = 0; o < 64; ++o) {
    for (luq::index i = 0; i < 96; ++i)
      coded.codes(o, i) = static_cast<luq::code>((7 * o + 5 * i + o * i) % (1 << bits));
  }
  for (luq::index g = 0; g < 2; ++g) {
    luq::matrix& values = coded.groups[static_cast<std::size_t>(g)].values;
    values.resize(64, 2);
    for (luq::index o = 0; o < 64; ++o) {
      values(o, 0) = static_cast<float>(luq::half(0.01f * static_cast<float>(o + 64 * g + 1)));
      values(o, 1) = static_cast<float>(1 + (3 * g + 5 * o) % ((1 << bits) - 1));
    }
  }
  for (const gptq_format format : {gptq_format::v1, gptq_format::v2}) {
    const luq::gptq_tensors t = luq::make_gptq_tensors(coded, format);
    CHECK(t.bits == bits);
    CHECK(t.groups() == 2);
    REQUIRE(t.qweight.size() == 96 * bits / 32 * 64);
    REQUIRE(t.qzeros.size() == 2 * 64 * bits / 32);
    REQUIRE(t.scales.size() == 2 * 64);
    REQUIRE(t.g_idx.size() == 96);
    for (std::size_t k = 0; k < bits; ++k) {
      CHECK(static_cast<std::uint32_t>(t.qweight[k * 64 + 5]) == expected.codes[k]);
      CHECK(static_cast<std::uint32_t>(t.qzeros[2 * bits + k]) ==
            (format == gptq_format::v1 ? expected.zeros_v1[k] : expected.zeros_v2[k]));
    }
    CHECK(fingerprint(t.qweight) == expected.qweight);
    CHECK(fingerprint(t.qzeros) == (format == gptq_format::v1 ? expected.qzeros_v1 : expected.qzeros_v2));
    CHECK(t.scales[64 + 7] == luq::half(0.72f));
    CHECK(std::count(t.g_idx.begin(), t.g_idx.begin() + 64, 0) == 64);
    CHECK(std::count(t.g_idx.begin() + 64, t.g_idx.end(), 1) == 32);
    CHECK(luq::decode_gptq(t) == coded.decode());
  }
}

TEST_CASE("3-bit codes straddle words as published") {
  // Codes 10 and 21 alone: bits 30, 31 of word 0 and bit 0 of word 1; bit 31 of word 1 and bits 0, 1 of word 2.
  luq::coded_matrix<luq::int_codec<3>> coded(luq::int_codec<3>{.group = luq::whole_row, .symmetric = true}, 32, 32);
  coded.groups[0].values.setConstant(32, 2, 4.0f);
  coded.codes(3, 10) = 7;
  coded.codes(4, 21) = 7;
  coded.codes(5, 31) = 7;
  const luq::gptq_tensors t = luq::make_gptq_tensors(coded, gptq_format::v2);
  const auto word = [&](std::size_t row, std::size_t output) {
    return static_cast<std::uint32_t>(t.qweight[row * 32 + output]);
  };
  CHECK(word(0, 3) == 0xc0000000u);
  CHECK(word(1, 3) == 1u);
  CHECK(word(2, 3) == 0u);
  CHECK(word(0, 4) == 0u);
  CHECK(word(1, 4) == 0x80000000u);
  CHECK(word(2, 4) == 3u);
  CHECK(word(2, 5) == 0xe0000000u);
}

TEST_CASE("symmetric zero points look as they do in public checkpoints") {
  const auto coded = random_coded(luq::int_codec<4>{.group = 32, .symmetric = true}, 64, 64, 1);
  for (const std::int32_t word : luq::make_gptq_tensors(coded, gptq_format::v1).qzeros) CHECK(word == 0x77777777);
  for (const std::int32_t word : luq::make_gptq_tensors(coded, gptq_format::v2).qzeros) {
    CHECK(static_cast<std::uint32_t>(word) == 0x88888888u);
  }
}

TEST_CASE("a round trip keeps every code, zero point and scale") {
  for (const luq::index group : {luq::whole_row, luq::index{1}, luq::index{16}, luq::index{32}, luq::index{48},
                                 luq::index{64}, luq::index{128}, luq::index{1000}}) {
    for (const luq::index rows : {32, 96}) {
      for (const luq::index cols : {32, 64, 160}) {
        for_each_codec(group, [&](const auto& codec) {
          CAPTURE(luq::codec_name(codec));
          CAPTURE(rows);
          CAPTURE(cols);
          const auto packed = luq::pack(random_coded(codec, rows, cols, 7));
          for (const gptq_format format : {gptq_format::v1, gptq_format::v2}) {
            const luq::gptq_tensors t = luq::make_gptq_tensors(packed, format);
            CHECK(t == luq::make_gptq_tensors(luq::any_packed_matrix(packed), format));
            const luq::any_packed_matrix restored = luq::pack_gptq(t);
            CHECK(luq::codec_of(restored) == luq::any_codec(codec));
            CHECK(std::ranges::equal(luq::bytes_of(restored), packed.bytes()));
            CHECK(luq::decode_gptq(t) == packed.unpack().decode());
          }
        });
      }
    }
  }
}

TEST_CASE("every code and every zero point") {
  for_each_codec(32, [](auto codec) {
    codec.symmetric = false;
    constexpr luq::index levels = luq::levels<decltype(codec)>();
    luq::coded_matrix coded(codec, 32, std::max<luq::index>(levels, 32));
    for (luq::index i = 0; i < coded.codes.size(); ++i) coded.codes.data()[i] = static_cast<luq::code>(i % levels);
    for (std::size_t g = 0; g < coded.groups.size(); ++g) {
      coded.groups[g].values.setConstant(32, 2, 0.5f);
      for (luq::index r = 0; r < 32; ++r) {
        coded.groups[g].values(r, 1) = static_cast<float>((r + 32 * static_cast<luq::index>(g)) % levels);
      }
    }
    const auto t = luq::make_gptq_tensors(coded, gptq_format::v2);
    CHECK(luq::gptq_codes(t) == coded.codes);
    CHECK(luq::decode_gptq(t) == coded.decode());
    for (auto& group : coded.groups) group.values.col(1) = group.values.col(1).cwiseMax(1.0f);
    const auto t1 = luq::make_gptq_tensors(coded, gptq_format::v1);
    CHECK(luq::decode_gptq(t1) == coded.decode());
    for (std::size_t g = 0; g < coded.groups.size(); ++g) {
      const luq::matrix zeros = luq::gptq_zeros(t1).template cast<float>().transpose();
      CHECK(zeros.col(static_cast<luq::index>(g)) == coded.groups[g].values.col(1));
    }
  });
}

TEST_CASE("format gptq holds no zero point of 0") {
  for_each_codec(32, [](auto codec) {
    codec.symmetric = false;
    auto coded = random_coded(codec, 64, 96, 3);
    CHECK_NOTHROW((void)luq::make_gptq_tensors(coded, gptq_format::v1));
    coded.groups[2].values(37, 1) = 0;
    check_fails(errc::unsupported,
                "gptq linear 'up': the zero point of group 2, output 37 is 0, which format gptq cannot",
                [&] { (void)luq::make_gptq_tensors(coded, gptq_format::v1, "up"); });
    CHECK(luq::decode_gptq(luq::make_gptq_tensors(coded, gptq_format::v2)) == coded.decode());
  });
}

TEST_CASE("a permuted g_idx: dense always, packed only where neighbours share a group") {
  for_each_codec(32, [](const auto& codec) {
    constexpr unsigned bits = bits_of<std::decay_t<decltype(codec)>>;
    const auto coded = random_coded(codec, 32, 96, 5);
    luq::gptq_tensors t = luq::make_gptq_tensors(coded, gptq_format::v2);

    // desc_act: column c is the c-th most important one of no particular order, its group is rank / 32.
    for (std::size_t c = 0; c < 96; ++c) t.g_idx[c] = static_cast<std::int32_t>(c * 37 % 96 / 32);
    const luq::matrix W = luq::decode_gptq(t);
    const luq::basic_matrix<luq::code> q = luq::gptq_codes(t);
    for (luq::index o = 0; o < 32; ++o) {
      for (luq::index c = 0; c < 96; ++c) {
        const luq::matrix& values = coded.groups[static_cast<std::size_t>(c * 37 % 96 / 32)].values;
        CHECK(W(o, c) == values(o, 0) * (static_cast<float>(coded.codes(o, c)) - values(o, 1)));
        CHECK(q(o, c) == coded.codes(o, c));
      }
    }
    check_fails(errc::unsupported, "gptq linear 'x': column 1 is of group 1, column 0 of group 0",
                [&] { (void)luq::pack_gptq(t, "x"); });

    // Whole groups in another order.
    for (std::size_t c = 0; c < 96; ++c) t.g_idx[c] = static_cast<std::int32_t>((c / 32 + 1) % 3);
    const auto reordered = luq::coded_from_gptq<bits>(t);
    CHECK(reordered.groups[0].values == coded.groups[1].values);
    CHECK(reordered.groups[2].values == coded.groups[0].values);
    CHECK(reordered.decode() == luq::decode_gptq(t));
  });
}

TEST_CASE("shapes that cannot be packed in words") {
  const auto check = [](luq::index rows, luq::index cols, const std::string& got) {
    const auto coded = random_coded(luq::int_codec<4>{.group = 32}, rows, cols, 1);
    check_fails(errc::invalid_argument, "gptq linear 'x': expected multiples of 32 outputs and inputs, got " + got,
                [&] { (void)luq::make_gptq_tensors(coded, gptq_format::v2, "x"); });
  };
  for (luq::index odd = 1; odd < 32; ++odd) {
    check(32 + odd, 64, std::to_string(32 + odd) + " x 64");
    check(64, odd, "64 x " + std::to_string(odd));
  }
}

TEST_CASE("codecs that are not GPTQ's") {
  const luq::any_packed_matrix packed = luq::pack(luq_test::random_coded_matrix(luq::sign_codec{}, 32, 128, 1));
  check_fails(errc::unsupported, "gptq linear 'x': expected a codec of int2, int3, int4 and int8, got sign:g128",
              [&] { (void)luq::make_gptq_tensors(packed, gptq_format::v2, "x"); });
  const luq::gptq_tensors t = plain_tensors();
  check_fails(errc::invalid_argument, "expected 3 bits, got 4", [&] { (void)luq::coded_from_gptq<3>(t, "x"); });
}

TEST_CASE("a scale that is not finite") {
  auto coded = random_coded(luq::int_codec<4>{.group = 32}, 32, 64, 1);
  coded.groups[1].values(3, 0) = std::numeric_limits<float>::infinity();
  check_fails(errc::non_finite, "gptq linear 'x': the scale of group 1, output 3 is not finite",
              [&] { (void)luq::make_gptq_tensors(coded, gptq_format::v2, "x"); });
}

TEST_CASE("tensors that contradict one another") {
  CHECK_NOTHROW(luq::require_consistent(plain_tensors(), "x"));
  CHECK((luq::decode_gptq(plain_tensors()).array() == -1.0f).all());
  for (const unsigned bits : {0u, 1u, 5u, 6u, 7u, 16u, 32u}) {
    check_tensors_refused(errc::invalid_argument, "expected 2, 3, 4 or 8 bits, got " + std::to_string(bits),
                          [&](auto& t) { t.bits = bits; });
  }
  check_tensors_refused(errc::shape_mismatch, "qweight: expected 3 x 32 elements, got 128",
                        [](auto& t) { t.bits = 3; });
  check_tensors_refused(errc::invalid_argument, "expected multiples of 32", [](auto& t) { t.rows = 0; });
  check_tensors_refused(errc::invalid_argument, "expected multiples of 32", [](auto& t) { t.rows = -32; });
  check_tensors_refused(errc::invalid_argument, "expected multiples of 32", [](auto& t) { t.cols = 33; });
  check_tensors_refused(errc::invalid_argument, "expected multiples of 32",
                        [](auto& t) { t.cols = luq::index{1} << 62; });
  check_tensors_refused(errc::shape_mismatch, "qweight: expected 4 x 64 elements, got 128",
                        [](auto& t) { t.rows = 64; });
  check_tensors_refused(errc::invalid_argument, "expected a group of at least 1 column, got -1",
                        [](auto& t) { t.group = -1; });
  check_tensors_refused(errc::shape_mismatch, "qzeros: expected 4 x 4 elements, got 8", [](auto& t) { t.group = 8; });
  check_tensors_refused(errc::shape_mismatch, "qweight: expected 4 x 32 elements, got 127",
                        [](auto& t) { t.qweight.pop_back(); });
  check_tensors_refused(errc::shape_mismatch, "qzeros: expected 2 x 4 elements, got 9",
                        [](auto& t) { t.qzeros.push_back(0); });
  check_tensors_refused(errc::shape_mismatch, "scales: expected 2 x 32 elements, got 63",
                        [](auto& t) { t.scales.pop_back(); });
  check_tensors_refused(errc::shape_mismatch, "g_idx: expected 32 x 1 elements, got 31",
                        [](auto& t) { t.g_idx.pop_back(); });
  check_tensors_refused(errc::corrupt_file, "g_idx of column 5: expected a group of 0 ... 1, got 2",
                        [](auto& t) { t.g_idx[5] = 2; });
  check_tensors_refused(errc::corrupt_file, "g_idx of column 31: expected a group of 0 ... 1, got -1",
                        [](auto& t) { t.g_idx[31] = -1; });
  check_tensors_refused(errc::non_finite, "the scale of group 1, output 2 is not finite",
                        [](auto& t) { t.scales[34] = luq::half::from_bits(0x7c00); });
  check_tensors_refused(errc::non_finite, "the scale of group 0, output 0 is not finite",
                        [](auto& t) { t.scales[0] = luq::half::from_bits(0xfe00); });
  check_tensors_refused(errc::unsupported,
                        "qzeros of group 1, output 9: the stored 15 of format gptq is read as 0 by some "
                        "loaders and as 16 by others",
                        [](auto& t) { t.qzeros[5] = 0xf0; });
  luq::gptq_tensors t = plain_tensors();
  t.qzeros[5] = 0xf0;
  t.format = gptq_format::v2;
  CHECK_NOTHROW(luq::require_consistent(t, "x"));
  CHECK(luq::gptq_zeros(t)(1, 9) == 15);
}

TEST_CASE("codes of transformed inputs are no GPTQ tensors") {
  auto coded = luq_test::random_coded_matrix(luq::int_codec<4>{.group = 32}, 32, 64, 1);
  CHECK_NOTHROW(static_cast<void>(luq::make_gptq_tensors(coded, gptq_format::v2)));
  coded.transform = std::make_shared<luq::input_scaling>(64);
  check_fails(errc::unsupported, "gptq tensors: expected inputs as they are, got the transform scaling",
              [&] { static_cast<void>(luq::make_gptq_tensors(coded, gptq_format::v2)); });
}
