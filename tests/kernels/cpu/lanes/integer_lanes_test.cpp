// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Each primitive of each instruction set against plain arithmetic. Arguments of memory are buffers of just the bytes
// that a primitive may touch, so that the address sanitizer sees one too many.
#include "luq/kernels/cpu/lanes/integer_lanes.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "kernels/arch_list.hpp"
#include "luq/codecs/tile_layout.hpp"
#include "luq/core/random.hpp"

using luq_test::for_each_arch;

namespace {

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

/// Calls check(lanes) for integer_lanes of each instruction set.
template <class Check>
void for_each_lanes(Check&& check) {
  for_each_arch([&](auto arch) { check(luq::detail::integer_lanes<decltype(arch)>()); });
}

/// Random words, one for each lane, the same for every instruction set.
template <class Lanes>
std::vector<std::uint32_t> random_words(std::uint64_t seed) {
  const luq::counter_rng rng(seed);
  std::vector<std::uint32_t> words;
  for (std::uint64_t i = 0; i < std::uint64_t{Lanes::lanes}; ++i) {
    words.push_back(static_cast<std::uint32_t>(rng.bits(i)));
  }
  return words;
}

template <class Lanes>
std::vector<std::int32_t> random_sums(std::uint64_t seed) {
  std::vector<std::int32_t> sums;
  for (const std::uint32_t word : random_words<Lanes>(seed)) sums.push_back(static_cast<std::int32_t>(word) / 4);
  return sums;
}

template <class Lanes>
std::vector<std::uint32_t> stored(typename Lanes::words value) {
  std::vector<std::uint32_t> words(std::size_t{Lanes::lanes});
  Lanes::store(words.data(), value);
  return words;
}

/// Not a template of `sums` alone, which is the type of `words` on some instruction sets.
template <class Lanes>
std::vector<std::int32_t> stored_sums(typename Lanes::sums value) {
  std::vector<std::int32_t> sums(std::size_t{Lanes::lanes});
  Lanes::store_sums(sums.data(), value);
  return sums;
}

template <class Lanes>
std::vector<float> stored_floats(const typename Lanes::floats& value) {
  std::vector<float> floats(std::size_t{Lanes::lanes});
  Lanes::store_floats(floats.data(), value);
  return floats;
}

std::uint8_t byte_of(std::uint32_t word, int byte) {
  return static_cast<std::uint8_t>(word >> (8 * byte));
}

/// The word of byte(0) ... byte(3).
template <class Byte>
std::uint32_t make_word(Byte&& byte) {
  std::uint32_t word = 0;
  for (int b = 0; b < 4; ++b) word += std::uint32_t{static_cast<std::uint8_t>(byte(b))} << (8 * b);
  return word;
}

/// The same word in every lane.
template <class Lanes>
std::vector<std::uint32_t> repeated(std::uint32_t word) {
  return std::vector<std::uint32_t>(std::size_t{Lanes::lanes}, word);
}

/// Calls check(words) for vectors that hold each word that `function` gives for 0 ... count-1, the last one padded.
template <class Lanes, class Function, class Check>
void for_each_vector(std::uint32_t count, Function&& function, Check&& check) {
  for (std::uint32_t first = 0; first < count; first += std::uint32_t{Lanes::lanes}) {
    std::vector<std::uint32_t> words;
    for (std::uint32_t i = 0; i < std::uint32_t{Lanes::lanes}; ++i) words.push_back(function((first + i) % count));
    check(words);
  }
}

/// Lanes of `found` that are not function(lane).
template <class T, class Function>
int count_wrong(const std::vector<T>& found, Function&& function) {
  int wrong = 0;
  for (std::size_t i = 0; i < found.size(); ++i) wrong += found[i] != function(i);
  return wrong;
}

/// A dot product by definition.
std::int32_t plain_dot(std::int32_t sum, std::uint32_t weights, std::uint32_t x) {
  for (int b = 0; b < 4; ++b) sum += int{byte_of(weights, b)} * int{static_cast<std::int8_t>(byte_of(x, b))};
  return sum;
}

/// The value of a half by definition.
float value_of_half(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int fraction = bits & 1023;
  const float magnitude = exponent == 31  ? (fraction == 0 ? infinity : not_a_number)
                          : exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                                          : std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

}  // namespace

TEST_CASE("vectors divide the rows of a tile") {
  for_each_lanes([](auto lanes) {
    CHECK(luq::tile_rows % lanes.lanes == 0);
    CHECK(lanes.accumulators >= 1);
    CHECK((lanes.widest_operand == 127 || lanes.widest_operand == 255));
  });
}

TEST_CASE("words are loaded from and stored to any address, in their order in memory") {
  for_each_lanes([](auto lanes) {
    using L = decltype(lanes);
    const auto words = random_words<L>(1);
    const std::size_t bytes = words.size() * 4;
    for (std::size_t offset = 0; offset < 5; ++offset) {
      std::vector<std::byte> from(offset + bytes);
      std::memcpy(from.data() + offset, words.data(), bytes);
      const auto loaded = L::load(from.data() + offset);
      CHECK(stored<L>(loaded) == words);
      std::vector<std::byte> to(offset + bytes);
      L::store(to.data() + offset, loaded);
      CHECK(to == from);
    }
    CHECK(stored<L>(L::broadcast(0xfedcba98u)) == repeated<L>(0xfedcba98u));
  });
}

TEST_CASE("words of 1, 2 and 3 bytes are widened, and no byte beyond the last is read") {
  for_each_lanes([](auto lanes) {
    using L = decltype(lanes);
    const auto check_bytes = [](auto bytes) {
      const luq::counter_rng rng(2);
      std::vector<std::byte> packed(std::size_t{L::lanes * bytes()});  // of this capacity, too
      for (std::size_t i = 0; i < packed.size(); ++i) packed[i] = static_cast<std::byte>(rng.below(i, 256));
      const auto found = stored<L>(L::template load_short<bytes()>(packed.data()));
      CHECK(count_wrong(found, [&](std::size_t lane) {
              std::uint32_t word = 0;
              for (std::size_t b = std::size_t{bytes()}; b-- > 0;) {
                word = 256 * word + std::to_integer<std::uint32_t>(packed[lane * bytes() + b]);
              }
              return word;
            }) == 0);
    };
    check_bytes(std::integral_constant<int, 1>());
    check_bytes(std::integral_constant<int, 2>());
    check_bytes(std::integral_constant<int, 3>());
  });
}

TEST_CASE("arithmetic of words is that of unsigned 32-bit integers") {
  for_each_lanes([](auto lanes) {
    using L = decltype(lanes);
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const auto a = random_words<L>(3 + seed);
      const auto b = random_words<L>(103 + seed);
      const auto x = L::load(a.data());
      const auto y = L::load(b.data());
      CHECK(count_wrong(stored<L>(L::bit_and(x, y)), [&](std::size_t i) { return a[i] & b[i]; }) == 0);
      CHECK(count_wrong(stored<L>(L::bit_or(x, y)), [&](std::size_t i) { return a[i] | b[i]; }) == 0);
      CHECK(count_wrong(stored<L>(L::add_words(x, y)), [&](std::size_t i) { return a[i] + b[i]; }) == 0);
      CHECK(count_wrong(stored<L>(L::subtract_words(x, y)), [&](std::size_t i) { return a[i] - b[i]; }) == 0);
      CHECK(count_wrong(stored<L>(L::multiply_words(x, y)), [&](std::size_t i) { return a[i] * b[i]; }) == 0);
      CHECK(count_wrong(stored<L>(L::lesser_words(x, y)), [&](std::size_t i) { return std::min(a[i], b[i]); }) == 0);
      CHECK(count_wrong(stored<L>(L::greater_words(x, y)), [&](std::size_t i) { return std::max(a[i], b[i]); }) == 0);
      for (int bits = 0; bits < 32; ++bits) {
        CAPTURE(bits);
        CHECK(count_wrong(stored<L>(L::shift_left(x, bits)), [&](std::size_t i) { return a[i] << bits; }) == 0);
        CHECK(count_wrong(stored<L>(L::shift_right(x, bits)), [&](std::size_t i) { return a[i] >> bits; }) == 0);
      }
    }
  });
}

TEST_CASE("bytes are compared without sign, for every byte and threshold") {
  for_each_lanes([](auto lanes) {
    using L = decltype(lanes);
    int wrong = 0;
    for (int threshold = 1; threshold < 256; ++threshold) {
      const auto four_bytes = [](std::uint32_t i) {
        return make_word([i](int b) { return 4 * i + std::uint32_t(b); });
      };
      for_each_vector<L>(64, four_bytes, [&](const auto& words) {
        const auto found = stored<L>(L::at_least(L::load(words.data()), static_cast<std::uint8_t>(threshold)));
        wrong += count_wrong(
            found, [&](std::size_t i) { return make_word([&](int b) { return byte_of(words[i], b) >= threshold; }); });
      });
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("bytes are added modulo 256, for every pair") {
  for_each_lanes([](auto lanes) {
    using L = decltype(lanes);
    int wrong = 0;
    for (std::uint32_t a = 0; a < 256; ++a) {
      const auto first = L::broadcast(make_word([a](int b) { return a + 101 * std::uint32_t(b); }));
      const auto four_bytes = [](std::uint32_t i) {
        return make_word([i](int b) { return i + 59 * std::uint32_t(b); });
      };
      for_each_vector<L>(256, four_bytes, [&](const auto& words) {
        wrong += count_wrong(stored<L>(L::add_bytes(first, L::load(words.data()))), [&](std::size_t i) {
          return make_word([&](int b) { return byte_of(words[i], b) + a + 101 * std::uint32_t(b); });
        });
      });
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("the five trits of every byte, those of the 243 that are packed among them") {
  for_each_lanes([](auto lanes) {
    using L = decltype(lanes);
    const auto trit_of = [](std::size_t lane, const std::vector<std::uint32_t>& words, std::size_t i, int byte) {
      return (words[lane] >> (8 * byte + L::trit_shift[i])) & 3u;
    };
    int wrong = 0;
    const auto same_bytes = [](std::uint32_t i) { return 0x01010101u * i; };
    for_each_vector<L>(256, same_bytes, [&](const auto& words) {
      typename L::words fields[5];
      typename L::trit_unpacker().trits(L::load(words.data()), fields);
      for (std::size_t i = 0; i < 5; ++i) {
        const auto field = stored<L>(fields[i]);
        for (std::size_t lane = 0; lane < words.size(); ++lane) {
          const int digit = luq::radix_traits<3>::extract(byte_of(words[lane], 0), static_cast<luq::index>(i));
          for (int b = 0; b < 4; ++b) wrong += static_cast<int>(trit_of(lane, field, i, b)) != digit;
        }
      }
    });
    CHECK(wrong == 0);

    // Digits in base 3, each of the four bytes of a word with its own.
    const auto trits_of = [](std::uint32_t number) {
      return std::array<std::uint8_t, 5>{
          static_cast<std::uint8_t>(number / 81 % 3), static_cast<std::uint8_t>(number / 27 % 3),
          static_cast<std::uint8_t>(number / 9 % 3), static_cast<std::uint8_t>(number / 3 % 3),
          static_cast<std::uint8_t>(number % 3)};
    };
    const auto number_of_byte = [](std::uint32_t i, int b) { return (i + 71 * std::uint32_t(b)) % 243; };
    for (std::uint32_t i = 0; i < 243; ++i) {
      const auto packed = [&](int b) { return luq::radix_traits<3>::combine(trits_of(number_of_byte(i, b))); };
      typename L::words fields[5];
      typename L::trit_unpacker().trits(L::broadcast(make_word(packed)), fields);
      for (std::size_t slot = 0; slot < 5; ++slot) {
        const auto field = stored<L>(fields[slot]);
        for (std::size_t lane = 0; lane < field.size(); ++lane) {
          for (int b = 0; b < 4; ++b) wrong += trit_of(lane, field, slot, b) != trits_of(number_of_byte(i, b))[slot];
        }
      }
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("entries of tables, for every index in every byte") {
  for_each_lanes([](auto lanes) {
    using L = decltype(lanes);
    const luq::counter_rng rng(4);
    std::vector<std::uint8_t> table;
    for (std::uint64_t i = 0; i < 16; ++i) table.push_back(static_cast<std::uint8_t>(rng.below(i, 256)));
    const auto entries = L::load_table_of_16(table.data());
    const auto own = random_words<L>(5);
    const auto index_of = [](std::uint32_t bound) {
      return [bound](std::uint32_t i) { return make_word([&](int b) { return (i + 5 * std::uint32_t(b)) % bound; }); };
    };
    int wrong = 0;
    for_each_vector<L>(16, index_of(16), [&](const auto& words) {
      wrong += count_wrong(stored<L>(L::lookup_16(entries, L::load(words.data()))), [&](std::size_t i) {
        return make_word([&](int b) { return table[byte_of(words[i], b)]; });
      });
    });
    for (std::uint32_t i = 0; i < 256; ++i) {
      const std::uint32_t index = make_word([i](int b) { return (i >> (2 * b)) & 3u; });
      wrong += count_wrong(stored<L>(L::lookup_own(L::load(own.data()), L::broadcast(index))), [&](std::size_t lane) {
        return make_word([&](int b) { return byte_of(own[lane], byte_of(index, b)); });
      });
    }
    if constexpr (L::has_table_of_64) {
      std::vector<std::uint8_t> long_table;
      for (std::uint64_t i = 0; i < 64; ++i) long_table.push_back(static_cast<std::uint8_t>(rng.below(i + 16, 256)));
      for_each_vector<L>(64, index_of(64), [&](const auto& words) {
        const auto found = stored<L>(L::lookup_64(L::load(long_table.data()), L::load(words.data())));
        wrong += count_wrong(
            found, [&](std::size_t i) { return make_word([&](int b) { return long_table[byte_of(words[i], b)]; }); });
      });
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("arithmetic of sums is that of signed 32-bit integers") {
  for_each_lanes([](auto lanes) {
    using L = decltype(lanes);
    const auto a = random_sums<L>(6);
    const auto b = random_sums<L>(7);
    const auto x = L::load_sums(a.data());
    const auto y = L::load_sums(b.data());
    CHECK(stored_sums<L>(x) == a);
    CHECK(count_wrong(stored_sums<L>(L::zero()), [](std::size_t) { return 0; }) == 0);
    CHECK(count_wrong(stored_sums<L>(L::broadcast_sum(-70000)), [](std::size_t) { return -70000; }) == 0);
    CHECK(count_wrong(stored_sums<L>(L::add(x, y)), [&](std::size_t i) { return a[i] + b[i]; }) == 0);
    CHECK(count_wrong(stored_sums<L>(L::subtract(x, y)), [&](std::size_t i) { return a[i] - b[i]; }) == 0);
    CHECK(count_wrong(stored<L>(L::as_words(x)), [&](std::size_t i) { return static_cast<std::uint32_t>(a[i]); }) == 0);
    for (int bits = 0; bits < 8; ++bits) {
      CAPTURE(bits);
      std::vector<std::int32_t> small = a;
      for (std::int32_t& sum : small) sum /= 256;
      const auto scaled = L::scale_up(L::load_sums(small.data()), bits);
      CHECK(count_wrong(stored_sums<L>(scaled), [&](std::size_t i) { return small[i] * (1 << bits); }) == 0);
      CHECK(stored_sums<L>(L::scale_down(scaled, bits)) == small);
    }
    std::int32_t total = 0;
    for (const std::int32_t sum : a) total += sum / 64;
    std::vector<std::int32_t> parts = a;
    for (std::int32_t& part : parts) part /= 64;
    CHECK(L::reduce_add(L::load_sums(parts.data())) == total);
  });
}

TEST_CASE("dot products are exact for every weight and activation, in each byte and in all four") {
  for_each_lanes([](auto lanes) {
    using L = decltype(lanes);
    int wrong = 0;
    for (int x = -127; x <= 127; ++x) {
      for (int place = 0; place < 5; ++place) {
        const auto in_place = [place](int value) {
          return make_word([&](int b) { return b == place || place == 4 ? value : 0; });
        };
        const std::uint32_t quad = in_place(x);
        const auto weight_of = [&](std::uint32_t i) { return make_word([i](int) { return i; }); };
        const auto check = [&](const auto& dot, std::uint32_t weights) {
          for_each_vector<L>(weights, weight_of, [&](const auto& words) {
            const auto found = stored_sums<L>(dot(L::load(words.data()), L::broadcast(quad)));
            wrong += count_wrong(found, [&](std::size_t i) { return plain_dot(-7, words[i], quad); });
          });
        };
        const auto start = L::broadcast_sum(-7);
        check([&](auto w, auto values) { return L::dot(start, w, values); }, std::uint32_t{L::widest_operand} + 1);
        check([&](auto w, auto values) { return L::dot_wide(start, w, values); }, 256);
      }
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("dot products of extremes do not saturate, and sums are added to") {
  for_each_lanes([](auto lanes) {
    using L = decltype(lanes);
    constexpr std::array<int, 5> activations{-127, -1, 0, 1, 127};
    int wrong = 0;
    const auto start = random_sums<L>(8);
    const auto check = [&](const auto& dot, const std::array<int, 4>& weights) {
      const auto weights_of = [&](std::uint32_t i) {
        return make_word([&](int b) { return weights[(i >> (2 * b)) & 3u]; });
      };
      for (std::uint32_t i = 0; i < 625; ++i) {
        constexpr std::array<std::uint32_t, 4> powers{1, 5, 25, 125};
        const std::uint32_t quad =
            make_word([&](int b) { return activations[i / powers[static_cast<std::size_t>(b)] % 5]; });
        for_each_vector<L>(256, weights_of, [&](const auto& words) {
          const auto sum = dot(L::load_sums(start.data()), L::load(words.data()), L::broadcast(quad));
          wrong += count_wrong(stored_sums<L>(sum),
                               [&](std::size_t lane) { return plain_dot(start[lane], words[lane], quad); });
        });
      }
    };
    check([](auto sum, auto w, auto x) { return L::dot(sum, w, x); }, {0, 1, L::widest_operand - 1, L::widest_operand});
    check([](auto sum, auto w, auto x) { return L::dot_wide(sum, w, x); }, {0, 127, 128, 255});
    CHECK(wrong == 0);
  });
}

TEST_CASE("floats are loaded from and stored to any address, and made of sums, halves and bytes") {
  for_each_lanes([](auto lanes) {
    using L = decltype(lanes);
    const auto count = std::size_t{L::lanes};
    std::vector<float> from(count + 1);
    for (std::size_t i = 0; i < from.size(); ++i) from[i] = 0.37f * static_cast<float>(i) - 2.0f;
    std::vector<float> to(count + 1, from[0]);
    L::store_floats(to.data() + 1, L::load_floats(from.data() + 1));
    CHECK(to == from);
    CHECK(stored_floats<L>(L::broadcast_float(-0.3f)) == std::vector<float>(count, -0.3f));

    auto sums = random_sums<L>(9);
    sums[0] = (1 << 24) + 1;  // between two floats: to the even one
    CHECK(count_wrong(stored_floats<L>(L::to_floats(L::load_sums(sums.data()))),
                      [&](std::size_t i) { return static_cast<float>(sums[i]); }) == 0);

    int wrong = 0;
    for (std::uint32_t first = 0; first < 0x10000; first += std::uint32_t{L::lanes}) {
      std::vector<luq::half> halves(count);
      for (std::size_t i = 0; i < count; ++i) halves[i].bits = static_cast<std::uint16_t>(first + i);
      const auto found = stored_floats<L>(L::load_halves(halves.data()));
      for (std::size_t i = 0; i < count; ++i) {
        const float expected = value_of_half(halves[i].bits);
        wrong += std::isnan(expected) ? !std::isnan(found[i])
                                      : found[i] != expected || std::signbit(found[i]) != std::signbit(expected);
      }
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("integers of a gapless stream become floats, wherever in it a vector starts") {
  for_each_lanes([](auto lanes) {
    using L = decltype(lanes);
    constexpr auto count = static_cast<std::size_t>(L::lanes);
    int wrong = 0;
    const auto check = [&](auto bits) {
      std::vector<std::uint8_t> integers(64);
      for (std::size_t i = 0; i < 64; ++i) integers[i] = static_cast<std::uint8_t>((37 * i + 11) % (1u << bits()));
      std::vector<std::byte> stream(static_cast<std::size_t>(luq::bit_packed_bytes(64, bits())));
      luq::bit_pack(integers, bits(), stream);
      for (std::size_t first = 0; first < 64; first += count) {
        const auto found = L::template load_bit_packed<bits()>(stream.data(), static_cast<luq::index>(first));
        wrong += count_wrong(stored_floats<L>(found),
                             [&](std::size_t i) { return static_cast<float>(integers[first + i]); });
      }
    };
    check(std::integral_constant<unsigned, 2>());
    check(std::integral_constant<unsigned, 3>());
    check(std::integral_constant<unsigned, 4>());
    check(std::integral_constant<unsigned, 8>());
    CHECK(wrong == 0);
  });
}

TEST_CASE("arithmetic of floats, where it is exact") {
  for_each_lanes([](auto lanes) {
    using L = decltype(lanes);
    std::vector<float> a;
    std::vector<float> b;
    for (luq::index i = 0; i < L::lanes; ++i) {
      a.push_back(static_cast<float>(i) - 5.5f);
      b.push_back(static_cast<float>(1 << (i % 5)));
    }
    const auto x = L::load_floats(a.data());
    const auto y = L::load_floats(b.data());
    CHECK(count_wrong(stored_floats<L>(x * y), [&](std::size_t i) { return a[i] * b[i]; }) == 0);
    CHECK(count_wrong(stored_floats<L>(x / y), [&](std::size_t i) { return a[i] / b[i]; }) == 0);
    CHECK(count_wrong(stored_floats<L>(x + y), [&](std::size_t i) { return a[i] + b[i]; }) == 0);
    CHECK(count_wrong(stored_floats<L>(x - y), [&](std::size_t i) { return a[i] - b[i]; }) == 0);
    CHECK(count_wrong(stored_floats<L>(-x), [&](std::size_t i) { return -a[i]; }) == 0);
    CHECK(count_wrong(stored_floats<L>(typename L::floats(0.25f)), [](std::size_t) { return 0.25f; }) == 0);
    CHECK(count_wrong(stored_floats<L>(L::multiply_add(x, y, L::broadcast_float(0.5f))),
                      [&](std::size_t i) { return a[i] * b[i] + 0.5f; }) == 0);
    for (std::size_t lane = 0; lane < a.size(); ++lane) {
      std::vector<float> values = a;
      values[lane] = 1000.0f;
      CHECK(L::reduce_max(L::load_floats(values.data())) == 1000.0f);
    }
    CHECK(L::reduce_max(L::broadcast_float(-3.0f)) == -3.0f);
  });
}

TEST_CASE("the greater magnitude ignores what is not a number") {
  for_each_lanes([](auto lanes) {
    using L = decltype(lanes);
    constexpr float tiny = std::numeric_limits<float>::denorm_min();
    struct example {
      float a;
      float b;
      float expected;
    };
    for (const example& e : std::initializer_list<example>{{2, 3, 3},
                                                           {2, -3, 3},
                                                           {3, 2, 3},
                                                           {3, -2, 3},
                                                           {0, -0.0f, 0},
                                                           {0, -tiny, tiny},
                                                           {1, -infinity, infinity},
                                                           {infinity, 1, infinity},
                                                           {2, not_a_number, 2},
                                                           {0, -not_a_number, 0}}) {
      CAPTURE(e.a);
      CAPTURE(e.b);
      const auto found = stored_floats<L>(L::greater_magnitude(L::broadcast_float(e.a), L::broadcast_float(e.b)));
      CHECK(count_wrong(found, [&](std::size_t) { return e.expected; }) == 0);
      CHECK_FALSE(std::signbit(found[0]));
    }
  });
}

TEST_CASE("floats are rounded to the nearest integer, ties to even") {
  for_each_lanes([](auto lanes) {
    using L = decltype(lanes);
    CHECK(stored_sums<L>(L::round(L::broadcast_float(2.5f)))[0] == 2);
    CHECK(stored_sums<L>(L::round(L::broadcast_float(-3.5f)))[0] == -4);
    int wrong = 0;
    for (int quarters = -600; quarters <= 600; ++quarters) {
      const int down = (quarters + 600) / 4 - 150;  // floor
      const int rest = quarters - 4 * down;
      const int expected = rest > 2 || (rest == 2 && down % 2 != 0) ? down + 1 : down;
      const auto found = stored_sums<L>(L::round(L::broadcast_float(static_cast<float>(quarters) / 4.0f)));
      wrong += count_wrong(found, [&](std::size_t) { return expected; });
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("quantized bytes are the rounded products, and no more bytes are read or written than there are lanes") {
  for_each_lanes([](auto lanes) {
    using L = decltype(lanes);
    const auto count = std::size_t{L::lanes};
    int wrong = 0;
    for (int first = -508; first <= 508; first += 3) {  // quarters
      std::vector<float> x(count);
      std::vector<std::int8_t> bytes(count);
      for (std::size_t i = 0; i < count; ++i) x[i] = static_cast<float>(std::min(first + static_cast<int>(i), 508));
      const auto sums = stored_sums<L>(L::quantize(x.data(), 0.25f, bytes.data()));
      for (std::size_t i = 0; i < count; ++i) {
        const auto expected = static_cast<int>(std::nearbyint(0.25f * x[i]));
        wrong += sums[i] != expected;
        wrong += bytes[i] != expected;
      }
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("asking for memory that is not there is harmless") {
  for_each_lanes([](auto lanes) {
    using L = decltype(lanes);
    L::template prefetch<luq::detail::cache_level::first>(nullptr);
    L::template prefetch<luq::detail::cache_level::second>(reinterpret_cast<const void*>(~std::uintptr_t{0}));
  });
}
