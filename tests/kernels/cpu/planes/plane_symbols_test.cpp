// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/kernels/cpu/planes/plane_symbols.hpp"

#include <doctest/doctest.h>

#include <array>
#include <utility>
#include <vector>

#include "codecs/base_five.hpp"
#include "kernels/arch_list.hpp"
#include "luq/core/random.hpp"

using luq::radix_traits;
using luq_test::for_each_arch;

namespace {

/// Calls check(radix) for each radix of a plane.
template <class Check>
void for_each_radix(Check&& check) {
  const auto call = [&](auto radix) {
    CAPTURE(radix());
    check(radix);
  };
  call(std::integral_constant<int, 2>());
  call(std::integral_constant<int, 3>());
  call(std::integral_constant<int, 4>());
  call(std::integral_constant<int, 5>());
  call(std::integral_constant<int, 8>());
  call(std::integral_constant<int, 16>());
  call(std::integral_constant<int, 256>());
}

/// Calls check(factor) for the factors, powers of two and others, by which a symbol can be multiplied and stay a byte.
template <int Radix, class Check>
void for_each_factor(Check&& check) {
  [&]<int... Factor>(std::integer_sequence<int, Factor...>) {
    const auto call = [&](auto factor) {
      if constexpr (factor() * (Radix - 1) < 256) {
        CAPTURE(factor());
        check(factor);
      }
    };
    (call(std::integral_constant<int, Factor>()), ...);
  }(std::integer_sequence<int, 1, 2, 3, 4, 5, 8, 16, 21, 32, 64, 128>());
}

/// A word of random bytes for each lane, of which those from `bytes` on are 0.
template <class Lanes>
std::vector<std::uint32_t> random_plane_words(int bytes, std::uint64_t seed) {
  const luq::counter_rng rng(seed);
  std::vector<std::uint32_t> words(std::size_t{Lanes::lanes});
  for (std::size_t i = 0; i < words.size(); ++i) {
    words[i] = static_cast<std::uint32_t>(rng.below(i, std::uint64_t{1} << (8 * bytes)));
  }
  return words;
}

std::uint8_t byte_of_plane(std::uint32_t word, luq::index byte) {
  return static_cast<std::uint8_t>(word >> (8 * byte));
}

template <class Lanes>
std::vector<std::uint32_t> stored_symbols(typename Lanes::words value) {
  std::vector<std::uint32_t> words(std::size_t{Lanes::lanes});
  Lanes::store(words.data(), value);
  return words;
}

}  // namespace

TEST_CASE("logarithms of powers of two") {
  static_assert(luq::detail::log2_of_power(1) == 0 && luq::detail::log2_of_power(2) == 1);
  static_assert(luq::detail::log2_of_power(16) == 4 && luq::detail::log2_of_power(256) == 8);
}

TEST_CASE("a slot has the symbols of its four bytes, times a factor, for every byte") {
  for_each_arch([](auto arch) {
    using lanes = luq::detail::integer_lanes<decltype(arch)>;
    for_each_radix([](auto radix) {
      constexpr int Radix = decltype(radix)::value;
      for_each_factor<Radix>([](auto factor) {
        int wrong = 0;
        for (std::uint32_t first = 0; first < 256; ++first) {
          const std::uint32_t word = first | (first * 7 % 256) << 8 | (255 - first) << 16 | (first * 31 % 256) << 24;
          using slot_reader = luq::detail::slot_reader<lanes, Radix>;
          const slot_reader reader(lanes::broadcast(word), typename slot_reader::tables());
          for (luq::index slot = 0; slot < radix_traits<Radix>::symbols_per_byte; ++slot) {
            for (const std::uint32_t found : stored_symbols<lanes>(reader.template symbols<factor()>(slot))) {
              for (luq::index b = 0; b < 4; ++b) {
                wrong +=
                    byte_of_plane(found, b) != factor() * radix_traits<Radix>::extract(byte_of_plane(word, b), slot);
              }
            }
          }
        }
        CHECK(wrong == 0);
      });
    });
  });
}

TEST_CASE("symbols of words and of tails of 1, 2 and 3 bytes come in the order of columns") {
  for_each_arch([](auto arch) {
    using lanes = luq::detail::integer_lanes<decltype(arch)>;
    const auto check = [](auto radix, auto factor, auto bytes) {
      CAPTURE(bytes());
      constexpr luq::index columns = radix_traits<radix()>::symbols_per_byte * bytes();
      constexpr auto quads = static_cast<std::size_t>((columns + 3) / 4);
      int wrong = 0;
      for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const auto packed = random_plane_words<lanes>(bytes(), seed);
        std::vector<std::vector<std::uint32_t>> found(quads, std::vector<std::uint32_t>(packed.size(), 0));
        luq::detail::place_symbols<lanes, radix(), factor(), bytes()>(
            lanes::load(packed.data()), typename luq::detail::slot_reader<lanes, radix()>::tables(),
            [&](luq::index quad, typename lanes::words symbols) {
              REQUIRE(static_cast<std::size_t>(quad) < quads);
              auto& words = found[static_cast<std::size_t>(quad)];
              const auto part = stored_symbols<lanes>(symbols);
              for (std::size_t lane = 0; lane < words.size(); ++lane) words[lane] |= part[lane];
            });
        for (std::size_t lane = 0; lane < packed.size(); ++lane) {
          for (luq::index column = 0; column < 4 * static_cast<luq::index>(quads); ++column) {
            const luq::index byte = column % bytes();
            const int expected = column < columns ? factor() * radix_traits<radix()>::extract(
                                                                   byte_of_plane(packed[lane], byte), column / bytes())
                                                  : 0;
            wrong += byte_of_plane(found[static_cast<std::size_t>(column / 4)][lane], column % 4) != expected;
          }
        }
      }
      CHECK(wrong == 0);
    };
    for_each_radix([&](auto radix) {
      [&]<int... Bytes>(std::integer_sequence<int, Bytes...>) {
        (check(radix, std::integral_constant<int, 1>(), std::integral_constant<int, Bytes + 1>()), ...);
      }(std::make_integer_sequence<int, 4>());
    });
    check(std::integral_constant<int, 2>(), std::integral_constant<int, 4>(), std::integral_constant<int, 3>());
    check(std::integral_constant<int, 16>(), std::integral_constant<int, 2>(), std::integral_constant<int, 4>());
  });
}

TEST_CASE("a number of tail bytes becomes a constant, and no tail is nothing to do") {
  for (luq::index bytes = 0; bytes < 4; ++bytes) {
    std::vector<int> calls;
    luq::detail::with_tail_bytes(bytes, [&](auto constant) { calls.push_back(decltype(constant)::value); });
    CHECK(calls == (bytes == 0 ? std::vector<int>{} : std::vector<int>{static_cast<int>(bytes)}));
  }
}
