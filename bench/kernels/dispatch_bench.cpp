// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Products with kernels chosen at run time, beside those compiled for this machine by plain inclusion, in turns:
//
//   dispatch/IMPLEMENTATION/CODEC/OUTxIN/tokens:N
//
// `of_included` is the time over that of matmul.hpp; 1.05 is the promise for the best implementation where the compiler
// was told to compile for this machine (LUQ_NATIVE). The others show what each instruction set is worth. One thread,
// one matrix that stays in a cache, so that nothing but the kernels counts.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "../packed_products.hpp"
#include "../run_benchmarks.hpp"
#include "luq/core/random_matrix.hpp"
#include "luq/kernels/dispatch.hpp"
#include "luq/kernels/instruction_set.hpp"
#include "luq/kernels/templates/any_matmul.hpp"
#include "luq/kernels/templates/matmul.hpp"

namespace {

using luq::dispatch::implementation;

constexpr luq_bench::matrix_shape shape{1024, 4096};

void measure(benchmark::State& state, const implementation& kernels, const std::string& codec, int tokens) {
  const luq_bench::packed_weights& weights = luq_bench::packed_weights_of(codec, shape, 0);
  const luq::matrix X = luq::random_normal_matrix(tokens, shape.in, luq::counter_rng(1));
  luq::matrix Y(tokens, shape.out);
  const luq::matmul_options options{.activations = luq::activation_mode::int8};
  const auto dispatched = [&](int count) {
    for (int i = 0; i < count; ++i) luq::dispatch::matmul(kernels, weights[0], X, Y, options);
  };
  const auto included = [&](int count) {
    for (int i = 0; i < count; ++i) luq::matmul<luq::default_arch>(weights[0], X, Y, options);
  };
  const int count = luq_bench::repetitions_for(0.005, dispatched);
  std::vector<double> seconds;
  std::vector<double> ratios;
  luq_bench::take_turns([&] {
    seconds.push_back(luq_bench::seconds_of([&] { dispatched(count); }) / count);
    ratios.push_back(seconds.back() * count / luq_bench::seconds_of([&] { included(count); }));
  });
  for (auto _ : state) state.SetIterationTime(luq_bench::median(seconds));
  luq_bench::report_spread(state, "of_included", ratios);
}

void register_products() {
  for (const std::string& codec : luq_bench::codec_names()) {
    for (const implementation& kernels : luq::dispatch::implementations()) {
      for (const int tokens : {1, 32}) {
        luq_bench::register_measured_once(
            "dispatch/" + std::string(kernels.name) + "/" + codec + "/" + shape.name() +
                "/tokens:" + std::to_string(tokens),
            [=, &kernels](benchmark::State& state) { measure(state, kernels, codec, tokens); });
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  return luq_bench::run_benchmarks(argc, argv, {}, register_products);
}
