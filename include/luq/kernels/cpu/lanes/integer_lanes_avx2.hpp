// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// integer_lanes.hpp in 256-bit registers: eight rows. Bytes are multiplied pairwise into 16 bits, which hold
// 2 * 127 * 127 and would saturate for weights above 128.
#pragma once

#include "luq/kernels/cpu/lanes/integer_lanes_scalar.hpp"
#include "luq/kernels/instruction_set.hpp"

#if defined(__AVX2__)

#include <immintrin.h>

namespace luq::detail {

template <class Arch>
struct avx2_lanes {
  using words = __m256i;
  using sums = __m256i;
  using floats = xsimd::batch<float, Arch>;
  using table_of_16 = __m256i;

  static constexpr index lanes = 8;
  static constexpr index accumulators = 8;
  static constexpr int widest_operand = 127;
  static constexpr bool has_table_of_64 = false;

  static words load(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }
  /// The same words, from here on in a register. gcc else loads them anew for each use, and loads of whole registers
  /// are what these kernels are short of.
  static words in_register(words value) {
#if defined(__GNUC__)
    asm("" : "+x"(value));
#endif
    return value;
  }
  static void store(void* to, words value) { _mm256_storeu_si256(static_cast<__m256i*>(to), value); }
  static words broadcast(std::uint32_t value) { return _mm256_set1_epi32(static_cast<int>(value)); }

  template <int Bytes>
  static words load_short(const std::byte* from) {
    if constexpr (Bytes == 1) {
      return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
    } else if constexpr (Bytes == 2) {
      return _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
    } else {
      static_assert(Bytes == 3);
      // Four rows are 12 bytes; the second load reads bytes 8 ... 23 to stay within the 24 bytes of eight rows.
      const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
      const __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + 8));
      return _mm256_set_m128i(
          _mm_shuffle_epi8(high, _mm_setr_epi8(4, 5, 6, -1, 7, 8, 9, -1, 10, 11, 12, -1, 13, 14, 15, -1)),
          _mm_shuffle_epi8(low, _mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1)));
    }
  }

  static words bit_and(words a, words b) { return _mm256_and_si256(a, b); }
  static words bit_or(words a, words b) { return _mm256_or_si256(a, b); }
  static words add_words(words a, words b) { return _mm256_add_epi32(a, b); }
  static words subtract_words(words a, words b) { return _mm256_sub_epi32(a, b); }
  static words multiply_words(words a, words b) { return _mm256_mullo_epi32(a, b); }
  static words lesser_words(words a, words b) { return _mm256_min_epu32(a, b); }
  static words greater_words(words a, words b) { return _mm256_max_epu32(a, b); }
  static words shift_left(words a, int bits) { return _mm256_slli_epi32(a, bits); }
  static words shift_right(words a, int bits) { return _mm256_srli_epi32(a, bits); }

  static words at_least(words a, std::uint8_t threshold) {
    const __m256i reached = _mm256_cmpeq_epi8(a, _mm256_max_epu8(a, _mm256_set1_epi8(static_cast<char>(threshold))));
    return _mm256_and_si256(reached, _mm256_set1_epi8(1));
  }
  static words add_bytes(words a, words b) { return _mm256_add_epi8(a, b); }

  static constexpr std::array<int, 5> trit_shift{0, 0, 0, 0, 0};
  struct trit_unpacker {
    void trits(words packed, words* fields) const { compare_trits<avx2_lanes>(packed, fields); }
  };

  static table_of_16 load_table_of_16(const std::uint8_t* from) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  }
  static words lookup_16(table_of_16 table, words index) { return _mm256_shuffle_epi8(table, index); }
  static words lookup_own(words table, words index) {
    const __m256i first_byte_of_word =
        _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12));
    return _mm256_shuffle_epi8(table, _mm256_or_si256(index, first_byte_of_word));
  }

  static sums zero() { return _mm256_setzero_si256(); }
  static sums broadcast_sum(std::int32_t value) { return _mm256_set1_epi32(value); }
  static sums load_sums(const std::int32_t* from) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)); }
  static void store_sums(std::int32_t* to, sums value) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), value); }
  static sums add(sums a, sums b) { return _mm256_add_epi32(a, b); }
  static sums subtract(sums a, sums b) { return _mm256_sub_epi32(a, b); }
  static sums scale_up(sums a, int bits) { return _mm256_slli_epi32(a, bits); }
  static sums scale_down(sums a, int bits) { return _mm256_srai_epi32(a, bits); }
  static words as_words(sums a) { return a; }

  static sums dot(sums sum, words weights, words x) {
    const __m256i pairs = _mm256_maddubs_epi16(weights, x);
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
  static sums dot_wide(sums sum, words weights, words x) { return dot_in_parts<avx2_lanes>(sum, weights, x); }

  static floats to_floats(sums a) { return floats(_mm256_cvtepi32_ps(a)); }
  static floats broadcast_float(float value) { return floats(value); }
  static floats load_floats(const float* from) { return floats(_mm256_loadu_ps(from)); }
  static void store_floats(float* to, const floats& value) { _mm256_storeu_ps(to, value); }
  static floats load_halves(const half* from) {
#if defined(__F16C__)
    return floats(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
#else
    alignas(32) std::array<float, 8> values;
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(from[i]);
    return floats(_mm256_load_ps(values.data()));
#endif
  }
  template <unsigned Bits>
  static floats load_bit_packed(const std::byte* stream, index first) {
    const auto four = [&](index at) {
      constexpr long long bits = Bits;
      const __m256i window = _mm256_set1_epi64x(static_cast<long long>(bits_of_stream<Bits>(stream, at)));
      const __m256i moved = _mm256_srlv_epi64(window, _mm256_setr_epi64x(0, bits, 2 * bits, 3 * bits));
      return _mm256_and_si256(moved, _mm256_set1_epi64x((1 << Bits) - 1));
    };
    const __m256i both = _mm256_or_si256(four(first), _mm256_slli_epi64(four(first + 4), 32));
    return floats(_mm256_cvtepi32_ps(_mm256_permutevar8x32_epi32(both, _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7))));
  }
  static floats multiply_add(const floats& a, const floats& b, const floats& c) { return xsimd::fma(a, b, c); }

  static floats greater_magnitude(const floats& a, const floats& b) {
    const __m256 magnitude = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), b);
    return floats(_mm256_max_ps(magnitude, a));  // the second operand where one is NaN
  }
  static sums round(const floats& a) { return _mm256_cvtps_epi32(a); }
  static float reduce_max(const floats& a) {
    alignas(32) std::array<float, 8> values;
    _mm256_store_ps(values.data(), a);
    return *std::max_element(values.begin(), values.end());
  }
  static std::int32_t reduce_add(sums a) {
    alignas(32) std::array<std::int32_t, 8> values;
    store_sums(values.data(), a);
    std::int32_t sum = 0;
    for (const std::int32_t value : values) sum += value;
    return sum;
  }
  static sums quantize(const float* x, float factor, std::int8_t* to) {
    const __m256i q = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x), _mm256_set1_ps(factor)));
    const __m128i shorts = _mm_packs_epi32(_mm256_castsi256_si128(q), _mm256_extracti128_si256(q, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_packs_epi16(shorts, shorts));
    return q;
  }

  template <cache_level Level>
  LUQ_ALWAYS_INLINE static void prefetch(const void* address) {
    _mm_prefetch(static_cast<const char*>(address), Level == cache_level::first ? _MM_HINT_T0 : _MM_HINT_T1);
  }
};

template <>
struct integer_lanes<xsimd::avx2> : avx2_lanes<xsimd::avx2> {};

#if defined(__FMA__)
template <>
struct integer_lanes<xsimd::fma3<xsimd::avx2>> : avx2_lanes<xsimd::fma3<xsimd::avx2>> {};
#endif

}  // namespace luq::detail

#endif  // defined(__AVX2__)
