// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/codecs/bit_packing.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "codec_test_support.hpp"

using luq::bit_pack;
using luq::bit_packed_at;
using luq::bit_packed_bytes;
using luq::bit_unpack;
using luq_test::hex;

namespace {

using codes_t = std::vector<std::uint8_t>;

std::vector<std::byte> packed(const codes_t& codes, unsigned bits) {
  std::vector<std::byte> stream(static_cast<std::size_t>(bit_packed_bytes(static_cast<luq::index>(codes.size()), bits)),
                                std::byte{0xa5});
  bit_pack(codes, bits, stream);
  return stream;
}

codes_t random_codes(std::size_t count, unsigned bits) {
  const luq::counter_rng rng(bits, count);
  codes_t codes;
  for (std::size_t i = 0; i < count; ++i) codes.push_back(static_cast<std::uint8_t>(rng.below(i, 1u << bits)));
  return codes;
}

/// The stream from its definition: bit b of code i is bit i*bits + b of the stream, bit n of which is in byte n / 8.
std::vector<std::byte> stream_bit_by_bit(const codes_t& codes, unsigned bits) {
  std::vector<std::byte> stream;
  std::size_t n = 0;
  for (const std::uint8_t code : codes) {
    for (unsigned b = 0; b < bits; ++b, ++n) {
      if (n % 8 == 0) stream.push_back(std::byte{0});
      if ((code >> b) % 2 == 1) stream.back() |= std::byte{1} << (n % 8);
    }
  }
  return stream;
}

}  // namespace

TEST_CASE("streams written by hand from the picture") {
  // 1: bits 0, 2, 3 and 7 of byte 0, bit 0 of byte 1
  CHECK(hex(packed({1, 0, 1, 1, 0, 0, 0, 1, 1}, 1)) == "8d 01 ");
  // 2: 3 in bits 0-1, 1 in bits 4-5, 2 in bits 6-7
  CHECK(hex(packed({3, 0, 1, 2}, 2)) == "93 ");
  // 3: c0 = 1, c1 = 2 << 3, the low half of c2 = 3 in bits 6-7; c3 = 4 << 1, c4 = 5 << 4, c5 = 6 has low bit 0;
  //    c5 >> 1 = 3, c6 = 7 << 2
  CHECK(hex(packed({1, 2, 3, 4, 5, 6, 7, 0}, 3)) == "d1 58 1f ");
  // 3: the example of the bit-packed encoding in the Parquet format specification
  CHECK(hex(packed({0, 1, 2, 3, 4, 5, 6, 7}, 3)) == "88 c6 fa ");
  // 4: low nibble first
  CHECK(hex(packed({10, 5, 15}, 4)) == "5a 0f ");
  // 5: bits 0-4 and 10-14, the latter bits 2-6 of byte 1
  CHECK(hex(packed({31, 0, 31}, 5)) == "1f 7c ");
  // 6: bits 0-5 and 12-17, the latter divided 4 and 2
  CHECK(hex(packed({63, 0, 63, 0}, 6)) == "3f f0 03 ");
  // 7: 0x55 in bits 0-6, ones in bits 7-13
  CHECK(hex(packed({0x55, 0x7f}, 7)) == "d5 3f ");
  // 8: the bytes themselves
  CHECK(hex(packed({0xfe, 0x00, 0x81}, 8)) == "fe 00 81 ");
}

TEST_CASE("every width and length: the stream is the one of the definition, and is read back") {
  for (unsigned bits = 1; bits <= 8; ++bits) {
    for (std::size_t count = 0; count <= 67; ++count) {
      CAPTURE(bits);
      CAPTURE(count);
      const codes_t codes = random_codes(count, bits);
      const std::vector<std::byte> stream = packed(codes, bits);
      CHECK(stream == stream_bit_by_bit(codes, bits));
      codes_t again(count);
      bit_unpack(stream, bits, again);
      CHECK(again == codes);
      for (std::size_t i = 0; i < count; ++i) {
        CHECK(bit_packed_at(stream, static_cast<luq::index>(i), bits) == codes[i]);
      }
    }
  }
}

TEST_CASE("every code of every width at every position within a byte, among zeros and among ones") {
  for (unsigned bits = 1; bits <= 8; ++bits) {
    CAPTURE(bits);
    int wrong = 0;
    for (unsigned code = 0; code < (1u << bits); ++code) {
      for (std::size_t position = 0; position < 9; ++position) {
        for (const unsigned other : {0u, (1u << bits) - 1u}) {
          codes_t codes(9, static_cast<std::uint8_t>(other));
          codes[position] = static_cast<std::uint8_t>(code);
          codes_t again(9);
          bit_unpack(packed(codes, bits), bits, again);
          wrong += again != codes;
        }
      }
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("packing writes its bytes completely and no others") {
  for (unsigned bits = 1; bits <= 8; ++bits) {
    for (std::size_t count = 0; count <= 17; ++count) {
      CAPTURE(bits);
      CAPTURE(count);
      const codes_t codes = random_codes(count, bits);
      std::vector<std::byte> longer(24, std::byte{0xff});
      bit_pack(codes, bits, longer);
      std::vector<std::byte> expected = stream_bit_by_bit(codes, bits);
      expected.resize(24, std::byte{0xff});
      CHECK(longer == expected);
    }
  }
}

TEST_CASE("sizes round up to whole bytes") {
  static_assert(bit_packed_bytes(0, 3) == 0);
  static_assert(bit_packed_bytes(8, 1) == 1);
  static_assert(bit_packed_bytes(9, 1) == 2);
  static_assert(bit_packed_bytes(3, 3) == 2);
  static_assert(bit_packed_bytes(7, 7) == 7);
  static_assert(bit_packed_bytes(5, 8) == 5);
  static_assert(bit_packed_bytes(luq::index{1} << 40, 3) == luq::index{3} << 37);
}

TEST_CASE("packing is a constant expression") {
  constexpr auto stream = [] {
    constexpr std::array<std::uint8_t, 3> codes{5, 2, 7};
    std::array<std::byte, 2> bytes{};
    bit_pack(codes, 3, bytes);
    return bytes;
  }();
  static_assert(stream[0] == std::byte{0xd5} && stream[1] == std::byte{0x01});  // 5 | 2 << 3 | 7 << 6, and its rest
  static_assert(bit_packed_at(stream, 2, 3) == 7);
}
