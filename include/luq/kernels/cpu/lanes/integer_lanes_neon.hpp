// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// integer_lanes.hpp in 128-bit registers of 64-bit ARM: four rows. Weights are below 128 and so may be multiplied as
// signed bytes, in one instruction where there are dot products, else by way of 16-bit products.
#pragma once

#include "luq/kernels/cpu/lanes/float_arch.hpp"
#include "luq/kernels/cpu/lanes/integer_lanes_scalar.hpp"
#include "luq/kernels/instruction_set.hpp"

#if defined(__aarch64__)

#include <arm_neon.h>

namespace luq::detail {

template <class Arch>
struct neon_lanes {
  using words = uint32x4_t;
  using sums = int32x4_t;
  using floats = xsimd::batch<float, float_arch<Arch>>;
  using table_of_16 = uint8x16_t;

  static constexpr index lanes = 4;
  static constexpr index accumulators = 16;
  static constexpr int widest_operand = 127;
  static constexpr bool has_table_of_64 = false;

  static words load(const void* from) { return vreinterpretq_u32_u8(vld1q_u8(static_cast<const std::uint8_t*>(from))); }
  static words in_register(words value) { return value; }
  static void store(void* to, words value) { vst1q_u8(static_cast<std::uint8_t*>(to), vreinterpretq_u8_u32(value)); }
  static words broadcast(std::uint32_t value) { return vdupq_n_u32(value); }

  template <int Bytes>
  static words load_short(const std::byte* from) {
    std::array<std::uint8_t, 16> padded{};
    for (std::size_t row = 0; row < 4; ++row) std::memcpy(&padded[4 * row], from + Bytes * row, Bytes);
    return load(padded.data());
  }

  static words bit_and(words a, words b) { return vandq_u32(a, b); }
  static words bit_or(words a, words b) { return vorrq_u32(a, b); }
  static words add_words(words a, words b) { return vaddq_u32(a, b); }
  static words subtract_words(words a, words b) { return vsubq_u32(a, b); }
  static words multiply_words(words a, words b) { return vmulq_u32(a, b); }
  static words lesser_words(words a, words b) { return vminq_u32(a, b); }
  static words greater_words(words a, words b) { return vmaxq_u32(a, b); }
  static words shift_left(words a, int bits) { return vshlq_u32(a, vdupq_n_s32(bits)); }
  static words shift_right(words a, int bits) { return vshlq_u32(a, vdupq_n_s32(-bits)); }

  static words at_least(words a, std::uint8_t threshold) {
    const uint8x16_t reached = vcgeq_u8(vreinterpretq_u8_u32(a), vdupq_n_u8(threshold));
    return vreinterpretq_u32_u8(vandq_u8(reached, vdupq_n_u8(1)));
  }
  static words add_bytes(words a, words b) {
    return vreinterpretq_u32_u8(vaddq_u8(vreinterpretq_u8_u32(a), vreinterpretq_u8_u32(b)));
  }

  static constexpr std::array<int, 5> trit_shift{0, 0, 0, 0, 0};
  struct trit_unpacker {
    void trits(words packed, words* fields) const { compare_trits<neon_lanes>(packed, fields); }
  };

  static table_of_16 load_table_of_16(const std::uint8_t* from) { return vld1q_u8(from); }
  static words lookup_16(table_of_16 table, words index) {
    return vreinterpretq_u32_u8(vqtbl1q_u8(table, vreinterpretq_u8_u32(index)));
  }
  static words lookup_own(words table, words index) {
    constexpr std::array<std::uint8_t, 16> first_byte_of_word{0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12};
    const uint8x16_t entry = vorrq_u8(vreinterpretq_u8_u32(index), vld1q_u8(first_byte_of_word.data()));
    return vreinterpretq_u32_u8(vqtbl1q_u8(vreinterpretq_u8_u32(table), entry));
  }

  static sums zero() { return vdupq_n_s32(0); }
  static sums broadcast_sum(std::int32_t value) { return vdupq_n_s32(value); }
  static sums load_sums(const std::int32_t* from) { return vld1q_s32(from); }
  static void store_sums(std::int32_t* to, sums value) { vst1q_s32(to, value); }
  static sums add(sums a, sums b) { return vaddq_s32(a, b); }
  static sums subtract(sums a, sums b) { return vsubq_s32(a, b); }
  static sums scale_up(sums a, int bits) { return vshlq_s32(a, vdupq_n_s32(bits)); }
  static sums scale_down(sums a, int bits) { return vshlq_s32(a, vdupq_n_s32(-bits)); }
  static words as_words(sums a) { return vreinterpretq_u32_s32(a); }

  static floats to_floats(sums a) { return floats(vcvtq_f32_s32(a)); }
  static floats broadcast_float(float value) { return floats(value); }
  static floats load_floats(const float* from) { return floats(vld1q_f32(from)); }
  static void store_floats(float* to, const floats& value) { vst1q_f32(to, value); }
  static floats load_halves(const half* from) {
    return floats(vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(reinterpret_cast<const std::uint8_t*>(from)))));
  }
  template <unsigned Bits>
  static floats load_bit_packed(const std::byte* stream, index first) {
    constexpr std::int32_t bits = Bits;
    constexpr std::array<std::int32_t, 4> shifts{0, -bits, -2 * bits, -3 * bits};
    const auto window = static_cast<std::uint32_t>(bits_of_stream<Bits>(stream, first));
    const uint32x4_t moved = vshlq_u32(vdupq_n_u32(window), vld1q_s32(shifts.data()));
    return floats(vcvtq_f32_u32(vandq_u32(moved, vdupq_n_u32((1u << Bits) - 1u))));
  }
  static floats multiply_add(const floats& a, const floats& b, const floats& c) { return floats(vfmaq_f32(c, a, b)); }

  static floats greater_magnitude(const floats& a, const floats& b) { return floats(vmaxnmq_f32(vabsq_f32(b), a)); }
  static sums round(const floats& a) { return vcvtnq_s32_f32(a); }
  static float reduce_max(const floats& a) { return vmaxvq_f32(a); }
  static std::int32_t reduce_add(sums a) { return vaddvq_s32(a); }
  static sums quantize(const float* x, float factor, std::int8_t* to) {
    const int32x4_t q = vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(x), factor));
    const int16x4_t shorts = vmovn_s32(q);
    const int8x8_t bytes = vmovn_s16(vcombine_s16(shorts, shorts));
    const std::uint32_t four = vget_lane_u32(vreinterpret_u32_s8(bytes), 0);
    std::memcpy(to, &four, 4);
    return q;
  }

  template <cache_level Level>
  LUQ_ALWAYS_INLINE static void prefetch(const void* address) {
    __builtin_prefetch(address, 0, Level == cache_level::first ? 3 : 2);
  }
};

template <>
struct integer_lanes<xsimd::neon64> : neon_lanes<xsimd::neon64> {
  static sums dot(sums sum, words weights, words x) {
    const int8x16_t w = vreinterpretq_s8_u32(weights);
    const int8x16_t values = vreinterpretq_s8_u32(x);
    const int32x4_t low = vpaddlq_s16(vmull_s8(vget_low_s8(w), vget_low_s8(values)));
    const int32x4_t high = vpaddlq_s16(vmull_high_s8(w, values));
    return vaddq_s32(sum, vpaddq_s32(low, high));
  }
  static sums dot_wide(sums sum, words weights, words x) { return dot_in_parts<integer_lanes>(sum, weights, x); }
};

#if defined(__ARM_FEATURE_DOTPROD)
template <>
struct integer_lanes<neon64_dotprod> : neon_lanes<neon64_dotprod> {
  static sums dot(sums sum, words weights, words x) {
    return vdotq_s32(sum, vreinterpretq_s8_u32(weights), vreinterpretq_s8_u32(x));
  }
  static sums dot_wide(sums sum, words weights, words x) { return dot_in_parts<integer_lanes>(sum, weights, x); }
};
#endif

}  // namespace luq::detail

#endif  // defined(__aarch64__)
