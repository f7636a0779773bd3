// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Time of a whole clustering: seeding and ten iterations of Lloyd. `flops` counts the multiplications and additions of
// distances alone, in units of tokens * clusters * width: 3 for the seeding, 2 for each assignment of tokens.
#include "luq/estimators/kmeans.hpp"

#include <benchmark/benchmark.h>

#include "luq/core/openmp_executor.hpp"
#include "luq/core/random_matrix.hpp"

namespace {

void kmeans(benchmark::State& state) {
  const luq::matrix X = luq::random_normal_matrix(state.range(0), state.range(1), luq::counter_rng(1));
  const luq::kmeans_options options{.clusters = state.range(2), .max_iterations = 10, .tolerance = 0};
  double assignments = 0;
  for (auto _ : state) {
    luq::kmeans_result result = luq::kmeans(X, options, {}, luq::openmp_executor{});
    benchmark::DoNotOptimize(result.inertia);
    assignments = result.iterations + 1;
  }
  const double unit = static_cast<double>(X.size()) * static_cast<double>(options.clusters);
  state.counters["flops"] =
      benchmark::Counter(unit * (3 + 2 * assignments), benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace

BENCHMARK(kmeans)
    ->ArgNames({"tokens", "width", "K"})
    ->Args({2048, 256, 32})
    ->Args({2048, 1024, 100})
    ->Args({8192, 1024, 100})
    ->Args({2048, 4096, 100})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
