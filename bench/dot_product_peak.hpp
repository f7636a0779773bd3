// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The yardstick of products that are bound by arithmetic: the rate of the fastest instructions for sums of products
// that the compiler's flags allow, on registers alone. These are 8-bit dot products where there are any, else
// single-precision multiply-adds; `peak_instruction` says which. Kept apart from the kernels on purpose: a mistake in
// one must not hide in the other.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <utility>

#include "luq/core/executor.hpp"

#if defined(__AVX512BW__) || defined(__AVX2__)
#include <immintrin.h>
#elif defined(__ARM_FEATURE_DOTPROD)
#include <arm_neon.h>
#else
#include <xsimd/xsimd.hpp>
#endif

namespace luq_bench {

// Of one instruction, or short sequence: its name, its sums, and the multiplications and additions it does. On x86 it
// is written in assembly, since gcc 12 moves every sum of an array of _mm512_dpbusd_epi32() through other registers.
#if defined(__AVX512VNNI__)

inline constexpr const char* peak_instruction = "vpdpbusd";
inline constexpr double peak_operations = 2 * 64;
using peak_register = __m512i;
inline peak_register peak_step(peak_register sum, peak_register a, peak_register b) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
  return sum;
}
inline peak_register peak_value(int i) {
  return _mm512_set1_epi32(i);
}

#elif defined(__AVX512BW__) || defined(__AVX2__)

inline constexpr const char* peak_instruction = "vpmaddubsw";
#if defined(__AVX512BW__)
using peak_register = __m512i;
inline peak_register peak_value(int i) {
  return _mm512_set1_epi32(i);
}
#else
using peak_register = __m256i;
inline peak_register peak_value(int i) {
  return _mm256_set1_epi32(i);
}
#endif
inline constexpr double peak_operations = 2 * sizeof(peak_register);
/// What an 8-bit dot product takes without VNNI: pairs to 16 bits, pairs of those to 32, and a sum.
inline peak_register peak_step(peak_register sum, peak_register a, peak_register b) {
  peak_register products;
  asm("vpmaddubsw %3, %2, %1\n\tvpmaddwd %3, %1, %1\n\tvpaddd %1, %0, %0"
      : "+v"(sum), "=&v"(products)
      : "v"(a), "v"(b));
  return sum;
}

#elif defined(__ARM_FEATURE_DOTPROD)

inline constexpr const char* peak_instruction = "sdot";
inline constexpr double peak_operations = 2 * 16;
using peak_register = int32x4_t;
inline peak_register peak_step(peak_register sum, peak_register a, peak_register b) {
  return vdotq_s32(sum, vreinterpretq_s8_s32(a), vreinterpretq_s8_s32(b));
}
inline peak_register peak_value(int i) {
  return vdupq_n_s32(i);
}

#else

inline constexpr const char* peak_instruction = "fma";
using peak_register = xsimd::batch<float>;
inline constexpr double peak_operations = 2 * peak_register::size;
inline peak_register peak_step(peak_register sum, peak_register a, peak_register b) {
  return xsimd::fma(sum, a, b);  // a b + sum would be one addition where there are only separate instructions
}
inline peak_register peak_value(int i) {
  return peak_register(static_cast<float>(i));
}

#endif

/// `steps` times one step of each of sizeof...(chain) sums, which stay in registers. They start from different values:
/// a compiler computes equal sums only once.
template <std::size_t... chain>
peak_register run_peak_steps(int steps, peak_register a, peak_register b, std::index_sequence<chain...>) {
  peak_register sums[] = {peak_value(static_cast<int>(chain))...};
  for (int step = 0; step < steps; ++step) ((sums[chain] = peak_step(sums[chain], a, b)), ...);
  peak_register total = peak_value(0);
  ((total = total + sums[chain]), ...);
  return total;
}

/// Multiplications and additions a second on all threads of the executor together; takes 1 to 10 ms.
template <luq::Executor E>
double measure_dot_product_peak(const E& executor) {
  static constexpr std::size_t chains = 12;  // enough for latency 5 at two instructions a cycle, and for 16 registers
  static constexpr int steps = 1 << 20;
  const luq::index threads = executor.concurrency();
  const auto start = std::chrono::steady_clock::now();
  executor.parallel_for(threads, [](luq::index) {
    peak_register a = peak_value(1);
    peak_register b = peak_value(1);
    benchmark::DoNotOptimize(a);
    benchmark::DoNotOptimize(b);
    peak_register total = run_peak_steps(steps, a, b, std::make_index_sequence<chains>());
    benchmark::DoNotOptimize(total);
  });
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  return peak_operations * static_cast<double>(chains) * steps * static_cast<double>(threads) / seconds.count();
}

}  // namespace luq_bench
