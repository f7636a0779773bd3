// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The measurements of products with packed matrices, for any library that has such products: one token beside reading
// the weights (decode), several tokens beside the peak of the instructions (prefill). Register with measured_once().
//
// Weights are a rotation of matrices of one shape: enough of them that each has left the caches when its turn comes
// round again, or a single one that stays there.
#pragma once

#include <benchmark/benchmark.h>

#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "dot_product_peak.hpp"
#include "read_bandwidth.hpp"
#include "repeated.hpp"

namespace luq_bench {

struct matrix_shape {
  luq::index out;
  luq::index in;

  [[nodiscard]] double weights() const { return static_cast<double>(out) * static_cast<double>(in); }
  [[nodiscard]] std::string name() const { return std::to_string(out) + "x" + std::to_string(in); }
  friend bool operator==(const matrix_shape&, const matrix_shape&) = default;
};

/// Matrices 0 ... buffers.size()-1, taken in turn again and again; at least one.
class weight_rotation {
 public:
  /// @param buffers  the packed bytes of each matrix, equally many
  weight_rotation(const matrix_shape& shape, std::vector<std::span<const std::byte>> buffers)
      : shape_(shape), buffers_(std::move(buffers)) {}

  [[nodiscard]] const matrix_shape& shape() const { return shape_; }
  [[nodiscard]] double bits_per_weight() const {
    return 8.0 * static_cast<double>(buffers_.front().size()) / shape_.weights();
  }

  /// Calls multiply(i) for the next `count` matrices.
  template <std::invocable<std::size_t> Multiply>
  void multiply_next(int count, Multiply&& multiply) {
    for (int k = 0; k < count; ++k) multiply(next());
  }

  /// The next `count` buffers.
  [[nodiscard]] std::vector<std::span<const std::byte>> take(int count) {
    std::vector<std::span<const std::byte>> taken;
    for (int k = 0; k < count; ++k) taken.push_back(buffers_[next()]);
    return taken;
  }

 private:
  std::size_t next() {
    const std::size_t i = next_;
    next_ = (next_ + 1) % buffers_.size();
    return i;
  }

  matrix_shape shape_;
  std::vector<std::span<const std::byte>> buffers_;
  std::size_t next_ = 0;
};

/// Shows the median time of a product as the benchmark's own time. Google Benchmark would take the mean, and the mean
/// takes in every disturbance.
inline void report_product(benchmark::State& state, const weight_rotation& weights,
                           const std::vector<double>& seconds) {
  for (auto _ : state) state.SetIterationTime(median(seconds));
  state.counters["bits"] = weights.bits_per_weight();
  state.counters["weights_per_second"] = weights.shape().weights() / median(seconds);
}

/// One token, in turns with reading as many of the same buffers on the same threads: `fraction_of_bandwidth` is the
/// time of reading over that of multiplying.
/// @param multiply  multiply(i) multiplies matrix i by one token on all threads of `executor`
template <luq::Executor E, std::invocable<std::size_t> Multiply>
void measure_decode(benchmark::State& state, weight_rotation& weights, const E& executor, Multiply&& multiply) {
  const auto products = [&](int count) { weights.multiply_next(count, multiply); };
  const int count = repetitions_for(0.02, products);
  std::vector<double> seconds;
  std::vector<double> fractions;
  std::vector<double> bandwidths;
  take_turns([&] {
    const std::vector<std::span<const std::byte>> buffers = weights.take(count);
    const double reading = seconds_of([&] { read_buffers(buffers, executor); });
    const double multiplying = seconds_of([&] { products(count); });
    seconds.push_back(multiplying / count);
    fractions.push_back(reading / multiplying);
    bandwidths.push_back(static_cast<double>(buffers.front().size()) * count / reading);
  });
  report_product(state, weights, seconds);
  report_spread(state, "fraction_of_bandwidth", fractions);
  state.counters["read_bandwidth"] = median(bandwidths);
}

/// Several tokens at once, in turns with the peak of the instructions and with one token: `fraction_of_..._peak` counts
/// 2 tokens * out * in operations, `of_single_tokens` is the time over that of as many products with one token each.
/// @param multiply      multiply(i) multiplies matrix i by `tokens` tokens on all threads of `executor`
/// @param multiply_one  the same for one token
template <luq::Executor E, std::invocable<std::size_t> Multiply, std::invocable<std::size_t> MultiplyOne>
void measure_prefill(benchmark::State& state, weight_rotation& weights, int tokens, const E& executor,
                     Multiply&& multiply, MultiplyOne&& multiply_one) {
  const auto products = [&](int count) { weights.multiply_next(count, multiply); };
  const auto single_products = [&](int count) { weights.multiply_next(count, multiply_one); };
  const int count = repetitions_for(0.01, products);
  const int single_count = repetitions_for(0.005, single_products);
  const double operations = 2.0 * tokens * weights.shape().weights();
  std::vector<double> seconds;
  std::vector<double> fractions;
  std::vector<double> of_single_tokens;
  std::vector<double> peaks;
  take_turns([&] {
    peaks.push_back(measure_dot_product_peak(executor));
    const double one = seconds_of([&] { single_products(single_count); }) / single_count;
    seconds.push_back(seconds_of([&] { products(count); }) / count);
    fractions.push_back(operations / seconds.back() / peaks.back());
    of_single_tokens.push_back(seconds.back() / (tokens * one));
  });
  report_product(state, weights, seconds);
  report_spread(state, std::string("fraction_of_") + peak_instruction + "_peak", fractions);
  report_spread(state, "of_single_tokens", of_single_tokens);
  state.counters["operations_per_second"] = operations / median(seconds);
  state.counters["peak"] = median(peaks);
}

/// Registers a benchmark that takes its own repeated measurements, so that Google Benchmark need not.
template <class Run>
void register_measured_once(const std::string& name, Run&& run) {
  benchmark::RegisterBenchmark(name.c_str(), std::forward<Run>(run))
      ->Iterations(1)
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond);
}

}  // namespace luq_bench
