// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// integer_lanes.hpp in 512-bit registers: sixteen rows. avx512_vnni has the dot product as one instruction and byte
// tables of up to 128 entries; plain AVX-512BW multiplies bytes pairwise into 16 bits, which saturate above 127.
#pragma once

#include "luq/kernels/cpu/lanes/float_arch.hpp"
#include "luq/kernels/cpu/lanes/integer_lanes_scalar.hpp"
#include "luq/kernels/instruction_set.hpp"

#if defined(__AVX512BW__)

#include <immintrin.h>

namespace luq::detail {

/// What both sets share.
template <class Arch>
struct avx512_lanes {
  using words = __m512i;
  using sums = __m512i;
  using floats = xsimd::batch<float, float_arch<Arch>>;
  using table_of_16 = __m512i;

  static constexpr index lanes = 16;
  static constexpr index accumulators = 16;

  static words load(const void* from) { return _mm512_loadu_si512(from); }
  /// The same words, from here on in a register. gcc else loads them anew for each use, and loads of whole registers
  /// are what these kernels are short of.
  static words in_register(words value) {
#if defined(__GNUC__)
    asm("" : "+v"(value));
#endif
    return value;
  }
  static void store(void* to, words value) { _mm512_storeu_si512(to, value); }
  static words broadcast(std::uint32_t value) { return _mm512_set1_epi32(static_cast<int>(value)); }

  template <int Bytes>
  static words load_short(const std::byte* from) {
    if constexpr (Bytes == 1) {
      return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
    } else if constexpr (Bytes == 2) {
      return _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
    } else {
      static_assert(Bytes == 3);
      // Four rows are 12 bytes: three words each to a quarter of the register, then its bytes to their rows.
      const __m512i gathered = _mm512_permutexvar_epi32(
          _mm512_setr_epi32(0, 1, 2, 0, 3, 4, 5, 0, 6, 7, 8, 0, 9, 10, 11, 0), _mm512_maskz_loadu_epi32(0x0fff, from));
      return _mm512_shuffle_epi8(
          gathered, _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1)));
    }
  }

  static words bit_and(words a, words b) { return _mm512_and_si512(a, b); }
  static words bit_or(words a, words b) { return _mm512_or_si512(a, b); }
  static words add_words(words a, words b) { return _mm512_add_epi32(a, b); }
  static words subtract_words(words a, words b) { return _mm512_sub_epi32(a, b); }
  static words multiply_words(words a, words b) { return _mm512_mullo_epi32(a, b); }
  static words lesser_words(words a, words b) { return _mm512_min_epu32(a, b); }
  static words greater_words(words a, words b) { return _mm512_max_epu32(a, b); }
  static words shift_left(words a, int bits) { return _mm512_slli_epi32(a, static_cast<unsigned>(bits)); }
  static words shift_right(words a, int bits) { return _mm512_srli_epi32(a, static_cast<unsigned>(bits)); }

  static words at_least(words a, std::uint8_t threshold) {
    const __m512i one = _mm512_set1_epi8(1);
    return _mm512_maskz_mov_epi8(_mm512_cmpge_epu8_mask(a, _mm512_set1_epi8(static_cast<char>(threshold))), one);
  }
  static words add_bytes(words a, words b) { return _mm512_add_epi8(a, b); }

  static table_of_16 load_table_of_16(const std::uint8_t* from) {
    return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  }
  static words lookup_16(table_of_16 table, words index) { return _mm512_shuffle_epi8(table, index); }
  static words lookup_own(words table, words index) {
    const __m512i first_byte_of_word =
        _mm512_broadcast_i32x4(_mm_setr_epi8(0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12));
    return _mm512_shuffle_epi8(table, _mm512_or_si512(index, first_byte_of_word));
  }

  static sums zero() { return _mm512_setzero_si512(); }
  static sums broadcast_sum(std::int32_t value) { return _mm512_set1_epi32(value); }
  static sums load_sums(const std::int32_t* from) { return _mm512_loadu_si512(from); }
  static void store_sums(std::int32_t* to, sums value) { _mm512_storeu_si512(to, value); }
  static sums add(sums a, sums b) { return _mm512_add_epi32(a, b); }
  static sums subtract(sums a, sums b) { return _mm512_sub_epi32(a, b); }
  static sums scale_up(sums a, int bits) { return _mm512_slli_epi32(a, static_cast<unsigned>(bits)); }
  static sums scale_down(sums a, int bits) { return _mm512_srai_epi32(a, static_cast<unsigned>(bits)); }
  static words as_words(sums a) { return a; }

  static floats to_floats(sums a) { return floats(_mm512_cvtepi32_ps(a)); }
  static floats broadcast_float(float value) { return floats(value); }
  static floats load_floats(const float* from) { return floats(_mm512_loadu_ps(from)); }
  static void store_floats(float* to, const floats& value) { _mm512_storeu_ps(to, value); }
  static floats load_halves(const half* from) {
    return floats(_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))));
  }
  template <unsigned Bits>
  static floats load_bit_packed(const std::byte* stream, index first) {
    const auto eight = [&](index at) {
      const __m512i shifts = _mm512_mullo_epi64(_mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7), _mm512_set1_epi64(Bits));
      const __m512i window = _mm512_set1_epi64(static_cast<long long>(bits_of_stream<Bits>(stream, at)));
      return _mm512_and_si512(_mm512_srlv_epi64(window, shifts), _mm512_set1_epi64((1 << Bits) - 1));
    };
    const __m512i every_other = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    return floats(_mm512_cvtepi32_ps(_mm512_permutex2var_epi32(eight(first), every_other, eight(first + 8))));
  }
  static floats multiply_add(const floats& a, const floats& b, const floats& c) {
    return floats(_mm512_fmadd_ps(a, b, c));
  }

  static floats greater_magnitude(const floats& a, const floats& b) {
    return floats(_mm512_max_ps(_mm512_abs_ps(b), a));  // the second operand where one is NaN
  }
  static sums round(const floats& a) { return _mm512_cvtps_epi32(a); }
  static float reduce_max(const floats& a) { return _mm512_reduce_max_ps(a); }
  static std::int32_t reduce_add(sums a) { return _mm512_reduce_add_epi32(a); }
  static sums quantize(const float* x, float factor, std::int8_t* to) {
    const __m512i q = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(x), _mm512_set1_ps(factor)));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8(q));
    return q;
  }

  template <cache_level Level>
  LUQ_ALWAYS_INLINE static void prefetch(const void* address) {
    _mm_prefetch(static_cast<const char*>(address), Level == cache_level::first ? _MM_HINT_T0 : _MM_HINT_T1);
  }
};

template <>
struct integer_lanes<xsimd::avx512bw> : avx512_lanes<xsimd::avx512bw> {
  static constexpr int widest_operand = 127;
  static constexpr bool has_table_of_64 = false;

  static sums dot(sums sum, words weights, words x) {
    const __m512i pairs = _mm512_maddubs_epi16(weights, x);
    return _mm512_add_epi32(sum, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
  }
  static sums dot_wide(sums sum, words weights, words x) { return dot_in_parts<integer_lanes>(sum, weights, x); }

  static constexpr std::array<int, 5> trit_shift{0, 0, 0, 0, 0};
  struct trit_unpacker {
    void trits(words packed, words* fields) const { compare_trits<integer_lanes>(packed, fields); }
  };
};

#if defined(__AVX512VNNI__) && defined(__AVX512VBMI__)

/// The bytes of tables over all 256 values of a byte that holds five trits (tile_layout.hpp).
struct trit_tables {
  alignas(64) std::array<std::uint8_t, 256> first_four{};  ///< trit i in the bits 2i, 2i+1
  alignas(64) std::array<std::uint8_t, 256> last{};

  constexpr trit_tables() {
    for (unsigned byte = 0; byte < 256; ++byte) {
      unsigned rest = byte;
      for (unsigned i = 0; i < 5; ++i, rest = (3 * rest) & 0xffu) {
        const unsigned trit = (3 * rest) >> 8;
        if (i < 4) {
          first_four[byte] = static_cast<std::uint8_t>(first_four[byte] | (trit << (2 * i)));
        } else {
          last[byte] = static_cast<std::uint8_t>(trit);
        }
      }
    }
  }
};

inline constexpr trit_tables trits_of_byte;

template <>
struct integer_lanes<avx512_vnni> : avx512_lanes<avx512_vnni> {
  static constexpr int widest_operand = 255;
  static constexpr bool has_table_of_64 = true;

  static sums dot(sums sum, words weights, words x) {
#if defined(__GNUC__) && !defined(__clang__)
    // gcc 12 keeps an array of sums in registers only if the instruction is opaque to it; through the intrinsic it
    // copies and spills them, at a third of the speed of a product with many tokens.
    asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(weights), "v"(x));
    return sum;
#else
    return _mm512_dpbusd_epi32(sum, weights, x);
#endif
  }
  static sums dot_wide(sums sum, words weights, words x) { return dot(sum, weights, x); }

  /// Per byte, table[index] for index 0 ... 63.
  static words lookup_64(words table, words index) { return _mm512_permutexvar_epi8(index, table); }

  /// The greatest |x[b]| + |x[4 + b]| + |x[8 + b]| + |x[12 + b]|.
  static float greatest_sum_of_four(const float* x) {
    const __m512 magnitudes = _mm512_abs_ps(_mm512_loadu_ps(x));
    const __m512 pairs = _mm512_add_ps(magnitudes, _mm512_shuffle_f32x4(magnitudes, magnitudes, 0x4e));
    const __m512 sums = _mm512_add_ps(pairs, _mm512_shuffle_f32x4(pairs, pairs, 0xb1));
    return _mm512_reduce_max_ps(sums);
  }
  /// For byte b and bits n, factor times the sum of x[4 j + b], added where n has bit j and subtracted where not, at
  /// 16 b + n: rounded to nearest, ties to even.
  static void tabulate_sums(const float* x, float factor, std::uint8_t* table) {
    const auto plus_where = [&](__mmask16 bits) {
      const __m512 minus = _mm512_set1_ps(-factor);
      return _mm512_mask_mov_ps(minus, bits, _mm512_set1_ps(factor));
    };
    const __m512 sign_0 = plus_where(0xaaaa);
    const __m512 sign_1 = plus_where(0xcccc);
    const __m512 sign_2 = plus_where(0xf0f0);
    const __m512 sign_3 = plus_where(0xff00);
    for (int b = 0; b < 4; ++b) {
      const __m512 first =
          _mm512_fmadd_ps(sign_1, _mm512_set1_ps(x[4 + b]), _mm512_mul_ps(sign_0, _mm512_set1_ps(x[b])));
      const __m512 second =
          _mm512_fmadd_ps(sign_3, _mm512_set1_ps(x[12 + b]), _mm512_mul_ps(sign_2, _mm512_set1_ps(x[8 + b])));
      const __m512i sums = _mm512_cvtps_epi32(_mm512_add_ps(first, second));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(table + 16 * b), _mm512_cvtsepi32_epi8(sums));
    }
  }

  static constexpr std::array<int, 5> trit_shift{0, 2, 4, 6, 0};
  /// Holds the tables in registers.
  class trit_unpacker {
   public:
    LUQ_ALWAYS_INLINE trit_unpacker() {
#pragma GCC unroll 4
      for (int quarter = 0; quarter < 4; ++quarter) {
        first_four_[quarter] = in_register(_mm512_load_si512(trits_of_byte.first_four.data() + 64 * quarter));
        last_[quarter] = in_register(_mm512_load_si512(trits_of_byte.last.data() + 64 * quarter));
      }
    }

    LUQ_ALWAYS_INLINE void trits(words packed, words* fields) const {
      const __mmask64 upper_half = _mm512_movepi8_mask(packed);
      const auto lookup = [&](const words(&table)[4]) {
        const __m512i low = _mm512_permutex2var_epi8(table[0], packed, table[1]);
        return _mm512_mask_mov_epi8(low, upper_half, _mm512_permutex2var_epi8(table[2], packed, table[3]));
      };
      const __m512i four = lookup(first_four_);
      for (int i = 0; i < 4; ++i) fields[i] = four;
      fields[4] = lookup(last_);
    }

   private:
    words first_four_[4];
    words last_[4];
  };
};

#endif

}  // namespace luq::detail

#endif  // defined(__AVX512BW__)
