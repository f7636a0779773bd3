// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Time to factorise a Hessian and to quantize a linear with column feedback. `flops` counts multiplications and
// additions: in^3 / 3 for the Cholesky factor and as much again for its inverse; out * in^2 for the feedback.
// `of_rate` is their share of the matrix rate (matrix_rate.hpp), measured just before. Coding, fitting and packing
// count as no flops at all. Shapes beyond 1024 are those of a 7-billion LLaMA.
#include "luq/quantizers/gptq.hpp"

#include <benchmark/benchmark.h>

#include <utility>

#include "../matrix_rate.hpp"
#include "luq/codecs/int_codec.hpp"
#include "luq/codecs/sign_codec.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/core/random_matrix.hpp"
#include "luq/estimators/hessian.hpp"
#include "luq/quantizers/quantize.hpp"

namespace {

luq::matrix make_hessian(luq::index in) {
  luq::hessian H(in);
  H.add(luq::random_normal_matrix(2048, in, luq::counter_rng(1)), luq::openmp_executor{});
  return std::move(H).matrix();
}

void report(benchmark::State& state, double flops, double rate) {
  state.counters["flops"] = benchmark::Counter(flops, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["of_rate"] = benchmark::Counter(flops / rate, benchmark::Counter::kIsIterationInvariantRate);
}

void factorize_hessian(benchmark::State& state) {
  const luq::matrix H = make_hessian(state.range(0));
  const luq::openmp_executor executor;
  const double rate = luq_bench::measure_matrix_rate(executor);
  for (auto _ : state) {
    state.PauseTiming();
    luq::matrix taken = H;
    state.ResumeTiming();
    luq::hessian_factor factor = luq::factorize_hessian_in_place(std::move(taken), {}, executor);
    benchmark::DoNotOptimize(factor.U.data());
  }
  const auto n = static_cast<double>(H.rows());
  report(state, 2.0 / 3.0 * n * n * n, rate);
}

/// Feedback, fitting, coding and packing, the factor given.
template <class Codec>
void feedback(benchmark::State& state) {
  const luq::index out = state.range(0);
  const luq::index in = state.range(1);
  const luq::matrix W = luq::random_normal_matrix(out, in, luq::counter_rng(2));
  const luq::openmp_executor executor;
  const luq::gptq quantizer;
  const luq::linear_inputs inputs(
      luq::factorize_in_order(make_hessian(in), quantizer.factor_options_of(Codec{}.group), executor));
  const double rate = luq_bench::measure_matrix_rate(executor);
  for (auto _ : state) {
    const auto result = luq::quantize({W, inputs}, Codec{}, quantizer, {.executor = executor});
    benchmark::DoNotOptimize(result.packed.bytes().data());
  }
  const auto n = static_cast<double>(in);
  report(state, static_cast<double>(out) * n * n, rate);
}

}  // namespace

BENCHMARK(factorize_hessian)
    ->ArgName("in")
    ->Arg(1024)
    ->Arg(4096)
    ->Arg(11008)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK(feedback<luq::int_codec<4>>)
    ->ArgNames({"out", "in"})
    ->Args({1024, 1024})
    ->Args({4096, 4096})
    ->Args({11008, 4096})
    ->Args({4096, 11008})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK(feedback<luq::sign_codec>)
    ->ArgNames({"out", "in"})
    ->Args({4096, 4096})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
