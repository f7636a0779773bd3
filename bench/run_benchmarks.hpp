// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// main() of programs that find out what to measure when they run.
#pragma once

#include <benchmark/benchmark.h>

#include <concepts>
#include <cstdio>
#include <exception>
#include <initializer_list>

#include "run_context.hpp"

namespace luq_bench {

/// Registers benchmarks, runs them, and returns the status to exit with.
/// @param variables            of the environment that the program reads, for the context of the figures
/// @param register_benchmarks  what it throws is printed
template <std::invocable Register>
int run_benchmarks(int argc, char** argv, std::initializer_list<const char*> variables,
                   Register&& register_benchmarks) try {
  add_run_context(argc, argv, variables);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  register_benchmarks();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
  return 1;
}

}  // namespace luq_bench
