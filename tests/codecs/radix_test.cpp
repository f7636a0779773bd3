// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/codecs/radix.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "codecs/base_five.hpp"
#include "codecs/stored_radices.hpp"

using luq::radix_traits;

namespace {

/// All digits of `value`, the first one the lowest.
std::vector<std::uint8_t> digits(int value, int radix, luq::index count) {
  std::vector<std::uint8_t> result;
  for (luq::index i = 0; i < count; ++i, value /= radix) result.push_back(static_cast<std::uint8_t>(value % radix));
  return result;
}

struct with_radix_six : luq_test::base_five_codec {
  static constexpr std::array<std::uint16_t, 1> planes{6};
};

}  // namespace

TEST_CASE("symbols to a byte") {
  static_assert(radix_traits<2>::symbols_per_byte == 8 && radix_traits<3>::symbols_per_byte == 5);
  static_assert(radix_traits<4>::symbols_per_byte == 4 && radix_traits<8>::symbols_per_byte == 2);
  static_assert(radix_traits<16>::symbols_per_byte == 2 && radix_traits<32>::symbols_per_byte == 1);
  static_assert(radix_traits<256>::symbols_per_byte == 1);
  static_assert(luq::StoredRadix<3> && luq::StoredRadix<5> && luq::StoredRadix<128>);
  static_assert(!luq::StoredRadix<1> && !luq::StoredRadix<6> && !luq::StoredRadix<512>);
  static_assert(luq::BitFieldRadix<8> && !luq::BitFieldRadix<3> && !luq::BitFieldRadix<5>);
}

TEST_CASE("a codec has planes of radices that are stored, or is none") {
  static_assert(luq::WeightCodec<luq_test::base_five_codec> && !luq::WeightCodec<with_radix_six>);
}

TEST_CASE("every byte is combined and taken apart, missing symbols being zero") {
  luq_test::for_each_stored_radix([](auto radix) {
    using traits = radix_traits<radix()>;
    constexpr luq::index symbols = traits::symbols_per_byte;
    const auto bytes = static_cast<int>(std::lround(std::pow(radix(), symbols)));
    int wrong = 0;
    std::vector<bool> seen(256, false);
    for (int value = 0; value < bytes; ++value) {
      const auto list = digits(value, radix(), symbols);
      const std::uint8_t byte = traits::combine(list);
      wrong += seen[byte];
      seen[byte] = true;
      for (luq::index slot = 0; slot < symbols; ++slot) {
        wrong += traits::extract(byte, slot) != list[static_cast<std::size_t>(slot)];
      }
      if (radix() != 3 && radix() != 8) wrong += byte != value;  // the lowest slot first
    }
    for (luq::index count = 0; count <= symbols; ++count) {
      std::vector<std::uint8_t> list(static_cast<std::size_t>(count), static_cast<std::uint8_t>(radix() - 1));
      const std::uint8_t shorter = traits::combine(list);
      list.resize(static_cast<std::size_t>(symbols), 0);
      wrong += shorter != traits::combine(list);
    }
    for (int byte = 0; byte < 256; ++byte) {  // also those that no symbols make
      for (luq::index slot = 0; slot < symbols; ++slot) {
        const int symbol = traits::extract(static_cast<std::uint8_t>(byte), slot);
        wrong += symbol < 0 || symbol >= radix();
      }
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("five trits are a fixed-point fraction, the first one the most significant") {
  struct row {
    std::array<std::uint8_t, 5> trits;
    int byte;
  };
  constexpr std::array<row, 9> table{{
      {{0, 0, 0, 0, 0}, 0x00},
      {{0, 0, 0, 0, 1}, 0x02},  // ceil(1 * 256/243) = ceil(1.05)
      {{0, 0, 0, 0, 2}, 0x03},  // ceil(2.11)
      {{0, 0, 0, 1, 0}, 0x04},  // ceil(3 * 256/243) = ceil(3.16)
      {{0, 0, 1, 0, 0}, 0x0a},  // ceil(9 * 256/243) = ceil(9.48)
      {{0, 1, 0, 0, 0}, 0x1d},  // ceil(27 * 256/243) = ceil(28.44)
      {{1, 0, 0, 0, 0}, 0x56},  // ceil(81 * 256/243) = ceil(85.33)
      {{1, 1, 1, 1, 1}, 0x80},  // ceil(121 * 256/243) = ceil(127.47)
      {{2, 2, 2, 2, 2}, 0xff},  // ceil(242 * 256/243) = ceil(254.95)
  }};
  for (const row& r : table) CHECK(static_cast<int>(radix_traits<3>::combine(r.trits)) == r.byte);
}
