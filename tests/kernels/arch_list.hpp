// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The instruction sets with integer kernels of their own, as far as the compiler's flags allow them, and none at all.
#pragma once

#include <doctest/doctest.h>

#include "luq/kernels/cpu/lanes/integer_lanes.hpp"

namespace luq_test {

/// No instruction set: what has no specialisation multiplies integers one by one.
struct one_by_one {
  [[nodiscard]] static constexpr const char* name() noexcept { return "one by one"; }
};

/// Calls check(arch) for each of them.
template <class Check>
void for_each_arch(Check&& check) {
  const auto call = [&](auto arch) {
    INFO("instruction set: ", decltype(arch)::name());
    check(arch);
  };
  call(one_by_one{});
#if defined(__AVX2__)
  call(xsimd::avx2{});
#if defined(__FMA__)
  call(xsimd::fma3<xsimd::avx2>{});
#endif
#endif
#if defined(__AVX512BW__)
  call(xsimd::avx512bw{});
#if defined(__AVX512VNNI__) && defined(__AVX512VBMI__)
  call(luq::avx512_vnni{});
#endif
#endif
#if defined(__aarch64__)
  call(xsimd::neon64{});
#if defined(__ARM_FEATURE_DOTPROD)
  call(luq::neon64_dotprod{});
#endif
#endif
}

}  // namespace luq_test
