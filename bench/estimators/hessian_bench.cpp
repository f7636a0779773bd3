// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Time to add tokens to a Hessian. `flops` counts the multiplications and additions that the lower triangle needs,
// tokens * in * (in + 1); the halves of diagonal tiles that are computed beyond it are not credited.
#include "luq/estimators/hessian.hpp"

#include <benchmark/benchmark.h>

#include "luq/core/openmp_executor.hpp"
#include "luq/core/random.hpp"

namespace {

void hessian_add(benchmark::State& state) {
  const luq::matrix X = luq::random_normal_matrix(state.range(0), state.range(1), luq::counter_rng(1));
  luq::hessian H(X.cols());
  for (auto _ : state) {
    H.add(X, luq::openmp_executor{});
    double weight = H.total_weight();
    benchmark::DoNotOptimize(weight);
    benchmark::ClobberMemory();
  }
  state.counters["flops"] = benchmark::Counter(static_cast<double>(X.size()) * static_cast<double>(X.cols() + 1),
                                               benchmark::Counter::kIsIterationInvariantRate);
  state.counters["tokens"] =
      benchmark::Counter(static_cast<double>(X.rows()), benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace

BENCHMARK(hessian_add)
    ->ArgNames({"tokens", "in"})
    ->Args({256, 256})
    ->Args({2048, 1024})
    ->Args({2048, 4096})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
