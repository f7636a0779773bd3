// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Time to factorise a Hessian and to quantize a linear with column feedback. `flops` counts multiplications and
// additions: in^3 / 3 for the Cholesky factor and as much again for its inverse; out * in^2 for the feedback.
#include "luq/quantizers/gptq.hpp"

#include <benchmark/benchmark.h>

#include "luq/codecs/sign_codec.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/core/random.hpp"
#include "luq/quantizers/quantize.hpp"

namespace {

luq::matrix make_hessian(luq::index in) {
  const luq::matrix X = luq::random_normal_matrix(2 * in, in, luq::counter_rng(1));
  return X.transpose() * X / static_cast<float>(2 * in);
}

void factorize_hessian(benchmark::State& state) {
  const luq::index in = state.range(0);
  const luq::matrix H = make_hessian(in);
  for (auto _ : state) {
    luq::hessian_factor factor = luq::factorize_hessian(H);
    benchmark::DoNotOptimize(factor.U.data());
  }
  const auto n = static_cast<double>(in);
  state.counters["flops"] = benchmark::Counter(2.0 / 3.0 * n * n * n, benchmark::Counter::kIsIterationInvariantRate);
}

void gptq_sign(benchmark::State& state) {
  const luq::index out = state.range(0);
  const luq::index in = state.range(1);
  const luq::matrix W = luq::random_normal_matrix(out, in, luq::counter_rng(2));
  const luq::matrix H = make_hessian(in);
  for (auto _ : state) {
    auto codes = luq::quantize_codes(W, H, luq::sign_codec{}, luq::gptq{}, nullptr, luq::openmp_executor{});
    benchmark::DoNotOptimize(codes.codes.data());
  }
  const auto n = static_cast<double>(in);
  state.counters["flops"] = benchmark::Counter(2.0 / 3.0 * n * n * n + static_cast<double>(out) * n * n,
                                               benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace

BENCHMARK(factorize_hessian)->Arg(512)->Arg(1024)->Unit(benchmark::kMillisecond);
BENCHMARK(gptq_sign)->Args({1024, 1024})->Unit(benchmark::kMillisecond)->UseRealTime();
