// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What an instruction set must do for the integer kernels, and all it must do: a vector of 32-bit words, each of which
// belongs to one row of W and holds four bytes, one for each of four columns.
//
//   word of row r     | column c+3 | column c+2 | column c+1 | column c |      weights, unsigned bytes
//   activation quad   |  x[c+3]    |  x[c+2]    |  x[c+1]    |  x[c]    |      signed bytes, the same in every word
//   dot(sum, w, x)    sum of row r += w0 x[c] + w1 x[c+1] + w2 x[c+2] + w3 x[c+3]
//
// The primary template below is the contract and a plain implementation, one row at a time: exact on every machine,
// and what the others are tested against. Specialisations differ in width and instructions, never in results.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "luq/codecs/tile_layout.hpp"
#include "luq/core/half.hpp"
#include "luq/core/index.hpp"
#include "luq/core/inline.hpp"
#include "luq/kernels/cpu/lanes/prefetch.hpp"

namespace luq::detail {

/// A gapless stream of tile_rows integers of Bits bits each (bit_packing.hpp) from integer `first` on: the next eight,
/// or as many as there are. Nothing beyond the stream is read.
template <unsigned Bits>
LUQ_ALWAYS_INLINE std::uint64_t bits_of_stream(const std::byte* stream, index first) {
  constexpr index last_window = tile_rows * static_cast<index>(Bits) / 8 - 8;
  const index bit = first * static_cast<index>(Bits);
  const index byte = (std::min)(bit / 8, last_window);
  std::uint64_t window;
  std::memcpy(&window, stream + byte, sizeof window);
  return window >> (bit - 8 * byte);
}

template <class Arch>
struct integer_lanes {
  using words = std::uint32_t;  ///< vector of `lanes` words
  using sums = std::int32_t;    ///< vector of `lanes` signed sums
  using floats = float;         ///< vector of `lanes` floats, with * and - and a constructor from a float

  static constexpr index lanes = 1;
  static constexpr index accumulators = 4;        ///< vectors of sums that a kernel should keep at once
  static constexpr int widest_operand = 255;      ///< dot() takes weight bytes up to this: 255, or 127 where it must be
  static constexpr bool has_table_of_64 = false;  ///< there is what plane_lookups.hpp calls

  static words load(const void* from) {
    words result;
    std::memcpy(&result, from, sizeof result);
    return result;
  }
  /// The same words; keeps the compiler from loading them anew for each use.
  static words in_register(words value) { return value; }
  static void store(void* to, words value) { std::memcpy(to, &value, sizeof value); }
  static words broadcast(std::uint32_t value) { return value; }

  /// Words of `Bytes` bytes each, 1 to 3, packed without gaps; the missing high bytes are 0.
  template <int Bytes>
  static words load_short(const std::byte* from) {
    words result = 0;
    for (int b = 0; b < Bytes; ++b) result |= std::to_integer<std::uint32_t>(from[b]) << (8 * b);
    return result;
  }

  static words bit_and(words a, words b) { return a & b; }
  static words bit_or(words a, words b) { return a | b; }
  static words add_words(words a, words b) { return a + b; }
  static words subtract_words(words a, words b) { return a - b; }
  static words multiply_words(words a, words b) { return a * b; }
  static words lesser_words(words a, words b) { return (std::min)(a, b); }
  static words greater_words(words a, words b) { return (std::max)(a, b); }
  /// Shifts of whole words: bits cross from byte to byte.
  static words shift_left(words a, int bits) { return a << bits; }
  static words shift_right(words a, int bits) { return a >> bits; }

  /// Per byte, 1 where the byte is at least `threshold` (1 ... 255), else 0.
  static words at_least(words a, std::uint8_t threshold) {
    words result = 0;
    for (int b = 0; b < 32; b += 8) result |= words{((a >> b) & 0xffu) >= threshold} << b;
    return result;
  }
  /// Per byte, a + b modulo 256.
  static words add_bytes(words a, words b) {
    words result = 0;
    for (int byte = 0; byte < 32; byte += 8) result |= (((a >> byte) + (b >> byte)) & 0xffu) << byte;
    return result;
  }

  /// The five trits of each byte (tile_layout.hpp): fields[i] holds trit i (0, 1, 2) times 1 << trit_shift[i], and
  /// perhaps other bits outside of the mask 3 << trit_shift[i].
  static constexpr std::array<int, 5> trit_shift{0, 0, 0, 0, 0};
  struct trit_unpacker {
    void trits(words packed, words* fields) const;
  };

  /// Per byte, table[index] for index 0 ... 15.
  using table_of_16 = std::array<std::uint8_t, 16>;
  static table_of_16 load_table_of_16(const std::uint8_t* from) {
    table_of_16 result;
    std::copy_n(from, 16, result.begin());
    return result;
  }
  static words lookup_16(const table_of_16& table, words index) {
    words result = 0;
    for (int b = 0; b < 32; b += 8) result |= words{table[(index >> b) & 0xfu]} << b;
    return result;
  }
  /// Per byte, byte `index` (0 ... 3) of the same word of `table`: each row has its own four entries.
  static words lookup_own(words table, words index) {
    words result = 0;
    for (int b = 0; b < 32; b += 8) result |= ((table >> (8 * ((index >> b) & 3u))) & 0xffu) << b;
    return result;
  }

  static sums zero() { return 0; }
  static sums broadcast_sum(std::int32_t value) { return value; }
  static sums load_sums(const std::int32_t* from) { return *from; }
  static void store_sums(std::int32_t* to, sums value) { *to = value; }
  static sums add(sums a, sums b) { return a + b; }
  static sums subtract(sums a, sums b) { return a - b; }
  /// Times 2^bits.
  static sums scale_up(sums a, int bits) { return a << bits; }
  /// Arithmetic shift: a / 2^bits where that is whole.
  static sums scale_down(sums a, int bits) { return a >> bits; }
  static words as_words(sums a) { return static_cast<words>(a); }

  /// sum + the four products of unsigned bytes of `weights`, at most widest_operand, and signed bytes of `x`,
  /// -127 ... 127.
  static sums dot(sums sum, words weights, words x) {
    for (int b = 0; b < 32; b += 8) {
      sum += static_cast<std::int32_t>((weights >> b) & 0xffu) * static_cast<std::int8_t>((x >> b) & 0xffu);
    }
    return sum;
  }
  /// The same for bytes up to 255.
  static sums dot_wide(sums sum, words weights, words x) { return dot(sum, weights, x); }

  static floats to_floats(sums a) { return static_cast<float>(a); }
  static floats broadcast_float(float value) { return value; }
  /// Loads need no alignment.
  static floats load_floats(const float* from) {
    floats result;
    std::memcpy(&result, from, sizeof result);
    return result;
  }
  static void store_floats(float* to, floats value) { *to = value; }
  static floats load_halves(const half* from) {
    half stored;
    std::memcpy(static_cast<void*>(&stored), from, sizeof stored);
    return static_cast<float>(stored);
  }
  /// Integers first, first + 1, ... of a gapless stream of tile_rows integers of Bits bits each (bit_packing.hpp).
  template <unsigned Bits>
  static floats load_bit_packed(const std::byte* stream, index first) {
    return static_cast<float>(bits_of_stream<Bits>(stream, first) & ((1u << Bits) - 1u));
  }
  static floats multiply_add(floats a, floats b, floats c) { return a * b + c; }

  /// The greater of a >= 0 and |b|; a where b is NaN.
  static floats greater_magnitude(floats a, floats b) { return (std::max)(a, std::abs(b)); }
  /// To the nearest integer, ties to even.
  static sums round(floats a) { return static_cast<std::int32_t>(std::nearbyint(a)); }
  static float reduce_max(floats a) { return a; }
  static std::int32_t reduce_add(sums a) { return a; }
  /// Writes x * factor, rounded to nearest, ties to even, as bytes and returns the integers. |x * factor| <= 127.
  static sums quantize(const float* x, float factor, std::int8_t* to) {
    const auto q = static_cast<std::int32_t>(std::nearbyint(*x * factor));
    *to = static_cast<std::int8_t>(q);
    return q;
  }

  /// Asks for the cache line of an address, which need not exist. Always inlined: gcc 12 takes a function that does
  /// nothing else for one without effect, and drops its calls.
  template <cache_level Level>
  LUQ_ALWAYS_INLINE static void prefetch(const void*) {}
};

/// Trits by comparison: digit i of a byte p_i is (p_i >= 86) + (p_i >= 171), and p_(i+1) = 3 p_i modulo 256.
template <class Lanes>
LUQ_ALWAYS_INLINE void compare_trits(typename Lanes::words packed, typename Lanes::words* fields) {
  for (int i = 0; i < 5; ++i) {
    fields[i] = Lanes::add_bytes(Lanes::at_least(packed, 86), Lanes::at_least(packed, 171));
    packed = Lanes::add_bytes(packed, Lanes::add_bytes(packed, packed));
  }
}

/// dot_wide() for machines whose dot() takes 127 at most: bits 0 ... 6, and bit 7 as twice 64.
template <class Lanes>
LUQ_ALWAYS_INLINE typename Lanes::sums dot_in_parts(typename Lanes::sums sum, typename Lanes::words weights,
                                                    typename Lanes::words x) {
  sum = Lanes::dot(sum, Lanes::bit_and(weights, Lanes::broadcast(0x7f7f7f7fu)), x);
  const auto high = Lanes::bit_and(Lanes::shift_right(weights, 1), Lanes::broadcast(0x40404040u));
  return Lanes::dot(Lanes::dot(sum, high, x), high, x);
}

template <class Arch>
LUQ_ALWAYS_INLINE void integer_lanes<Arch>::trit_unpacker::trits(words packed, words* fields) const {
  compare_trits<integer_lanes>(packed, fields);
}

}  // namespace luq::detail
