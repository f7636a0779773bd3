// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Ratios of times on a machine that others use, too. The bandwidth and the clock of a virtual machine change within a
// second, so the two sides of a ratio are measured in turns, each turn gives one ratio, and what is reported is their
// median with the least and the greatest.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace luq_bench {

/// Seconds that `action` takes.
template <class Action>
double seconds_of(Action&& action) {
  const auto start = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// How often `action` must be repeated to take about `seconds`, found by doubling; so this also warms up.
template <class Action>
int repetitions_for(double seconds, Action&& action) {
  int count = 1;
  while (seconds_of([&] { action(count); }) < seconds / 2 && count < (1 << 24)) count *= 2;
  return count;
}

/// Calls `turn` for 0.3 seconds, but 5 times at least and 25 times at most.
template <class Turn>
void take_turns(Turn&& turn) {
  double seconds = 0;
  for (int i = 0; i < 5 || (seconds < 0.3 && i < 25); ++i) seconds += seconds_of(turn);
}

/// The middle value, for an even number of them the lower of the two.
inline double median(std::vector<double> values) {
  const auto middle = values.begin() + (static_cast<std::ptrdiff_t>(values.size()) - 1) / 2;
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Counters `name`, `name`_least and `name`_greatest.
inline void report_spread(benchmark::State& state, const std::string& name, const std::vector<double>& values) {
  const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
  state.counters[name] = median(values);
  state.counters[name + "_least"] = *least;
  state.counters[name + "_greatest"] = *greatest;
}

}  // namespace luq_bench
