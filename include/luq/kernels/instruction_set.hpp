// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The instruction sets that kernels know by name. A kernel takes one as a template parameter, so that it stands in
// every mangled name and code compiled with different flags never shares an instantiation. Any architecture of xsimd
// will do; two that integer kernels want and xsimd 8.1 has not are added here.
//
//   avx512_vnni      8-bit dot products (VNNI) and byte permutations over 64 entries (VBMI), on top of AVX-512BW
//   neon64_dotprod   8-bit dot products, on top of 64-bit NEON
//
// Other sets with integer kernels of their own (cpu/lanes/integer_lanes.hpp) are xsimd::avx512bw, xsimd::avx2, its
// variant with FMA, and xsimd::neon64. The rest multiply integers one by one, which is exact and slow.
#pragma once

#include <xsimd/xsimd.hpp>

namespace luq {

struct avx512_vnni {
  using float_arch = xsimd::avx512bw;  ///< for float arithmetic
  [[nodiscard]] static constexpr const char* name() noexcept { return "avx512bw+vnni+vbmi"; }
};

struct neon64_dotprod {
  using float_arch = xsimd::neon64;
  [[nodiscard]] static constexpr const char* name() noexcept { return "arm64+neon+dotprod"; }
};

/// The best instruction set that the compiler's flags allow, of those with integer kernels of their own if one of them
/// is. Not xsimd::default_arch where there is one: newer versions of xsimd have sets between these, such as AVX-VNNI.
#if defined(__AVX512VNNI__) && defined(__AVX512VBMI__) && defined(__AVX512BW__) && defined(__AVX512VL__)
using default_arch = avx512_vnni;
#elif defined(__aarch64__) && defined(__ARM_FEATURE_DOTPROD)
using default_arch = neon64_dotprod;
#elif defined(__AVX512F__) && defined(__AVX512CD__) && defined(__AVX512DQ__) && defined(__AVX512BW__)
using default_arch = xsimd::avx512bw;
#elif defined(__AVX2__) && defined(__FMA__)
using default_arch = xsimd::fma3<xsimd::avx2>;
#elif defined(__AVX2__)
using default_arch = xsimd::avx2;
#elif defined(__aarch64__)
using default_arch = xsimd::neon64;
#else
using default_arch = xsimd::default_arch;
#endif

}  // namespace luq
