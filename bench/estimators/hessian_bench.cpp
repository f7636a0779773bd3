// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Time to add tokens to a Hessian. `flops` counts the multiplications and additions that the lower triangle needs,
// tokens * in * (in + 1); the halves of diagonal tiles that are computed beyond it are not credited. `of_rate` is their
// share of the matrix rate (matrix_rate.hpp), measured just before.
#include "luq/estimators/hessian.hpp"

#include <benchmark/benchmark.h>

#include <vector>

#include "../matrix_rate.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/core/random_matrix.hpp"

namespace {

void report(benchmark::State& state, const luq::matrix& X, double rate) {
  const double flops = static_cast<double>(X.size()) * static_cast<double>(X.cols() + 1);
  state.counters["flops"] = benchmark::Counter(flops, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["of_rate"] = benchmark::Counter(flops / rate, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["tokens"] =
      benchmark::Counter(static_cast<double>(X.rows()), benchmark::Counter::kIsIterationInvariantRate);
}

void hessian_add(benchmark::State& state) {
  const luq::matrix X = luq::random_normal_matrix(state.range(0), state.range(1), luq::counter_rng(1));
  luq::hessian H(X.cols());
  const luq::openmp_executor executor;
  const double rate = luq_bench::measure_matrix_rate(executor);
  for (auto _ : state) {
    H.add(X, executor);
    double weight = H.total_weight();
    benchmark::DoNotOptimize(weight);
    benchmark::ClobberMemory();
  }
  report(state, X, rate);
}

void hessian_add_weighted(benchmark::State& state) {
  const luq::matrix X = luq::random_normal_matrix(state.range(0), state.range(1), luq::counter_rng(1));
  const std::vector<float> lambda(static_cast<std::size_t>(X.rows()), 0.5f);
  luq::hessian H(X.cols());
  const luq::openmp_executor executor;
  const double rate = luq_bench::measure_matrix_rate(executor);
  for (auto _ : state) {
    H.add(X, lambda, executor);
    double weight = H.total_weight();
    benchmark::DoNotOptimize(weight);
    benchmark::ClobberMemory();
  }
  report(state, X, rate);
}

}  // namespace

BENCHMARK(hessian_add)
    ->ArgNames({"tokens", "in"})
    ->Args({256, 256})
    ->Args({2048, 1024})
    ->Args({8192, 4096})
    ->Args({4096, 11008})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK(hessian_add_weighted)
    ->ArgNames({"tokens", "in"})
    ->Args({8192, 4096})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
