// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A program of units that are compiled for different instruction sets. Were a kernel of one of them used by the other,
// which is what the linker does with functions of equal name, the machine might not know its instructions. Fused
// multiplications round once and others twice, so that products of different kernels differ.
#include <algorithm>
#include <cstdio>
#include <string_view>

#include <luq/luq.hpp>

#include "product.hpp"

namespace {

constexpr int skipped = 77;  // the exit status of a test that this machine cannot run

bool expect(bool condition, const char* what) {
  if (!condition) std::fprintf(stderr, "expected that %s\n", what);
  return condition;
}

}  // namespace

int main() {
  const auto kernels = luq::dispatch::implementations();
  const auto named = [&](std::string_view name) {
    return std::find_if(kernels.begin(), kernels.end(), [&](const auto& i) { return i.name == name; });
  };
  if (named("avx2") == kernels.end()) return skipped;

  const luq::matrix values = luq::random_normal_matrix(70, 300, luq::counter_rng(1));
  const auto W = luq::quantize(values, luq::int_codec<4>{.group = 32}, luq::round_to_nearest{}).packed;
  const luq::matrix X = luq::random_normal_matrix(3, 300, luq::counter_rng(2));
  luq::matrix by_baseline_unit(3, 70);
  luq::matrix by_avx2_unit(3, 70);
  luq::matrix by_sse2(3, 70);
  two_instruction_sets::multiply_in_baseline_unit(W, X, by_baseline_unit);
  two_instruction_sets::multiply_in_avx2_unit(W, X, by_avx2_unit);
  luq::dispatch::matmul(*named("sse2"), W, X, by_sse2);

  bool passed = expect(by_baseline_unit == by_sse2, "the baseline unit uses kernels of SSE2");
  passed &= expect(by_baseline_unit != by_avx2_unit, "the AVX2 unit uses kernels with fused multiplications");
  passed &= expect((by_baseline_unit - by_avx2_unit).norm() < 1e-5f * by_sse2.norm(), "all compute the same product");
  return passed ? 0 : 1;
}
