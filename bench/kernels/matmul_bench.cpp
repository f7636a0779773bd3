// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Time of packed products beside that of merely reading as many bytes. `weights` and `bytes` count what is stored,
// once for all tokens, a second. `read_bandwidth` is measured just before each product: bytes a second of reading a
// buffer of the size of the packed weights again and again on the same threads. Where that fits into a cache, it is
// the bandwidth of the cache. The side of the square matrix is LUQ_BENCH_SIDE, 1024 unless set.
#include "luq/kernels/matmul.hpp"

#include <benchmark/benchmark.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <variant>

#include "../random_codes.hpp"
#include "luq/core/openmp_executor.hpp"

namespace {

using clock = std::chrono::steady_clock;

double seconds_since(clock::time_point start) {
  return std::chrono::duration<double>(clock::now() - start).count();
}

luq::index side() {
  const char* text = std::getenv("LUQ_BENCH_SIDE");
  return text == nullptr ? 1024 : std::atoll(text);
}

/// Reads all words, several vectors at once: one chain of operations would be slower than the nearest cache.
void read_words(const std::uint64_t* words, std::size_t count) {
  using batch = xsimd::batch<std::uint64_t>;
  std::array<batch, 4> sums;
  sums.fill(batch(std::uint64_t{0}));
  for (std::size_t i = 0; i + sums.size() * batch::size <= count; i += sums.size() * batch::size) {
    for (std::size_t v = 0; v < sums.size(); ++v) {
      sums[v] = sums[v] ^ batch::load_unaligned(words + i + v * batch::size);
    }
  }
  benchmark::DoNotOptimize(sums);
}

/// Bytes a second at which `executor` reads `size` bytes from one end to the other, each thread its own part.
double read_bandwidth(std::size_t size, const luq::openmp_executor& executor) {
  const auto threads = static_cast<std::size_t>(executor.concurrency());
  const luq::aligned_buffer<std::uint64_t> words(size / sizeof(std::uint64_t), 1);
  const std::size_t part = words.size() / threads / 64 * 64;  // whole steps of read_words()
  const auto start = clock::now();
  double passes = 0;
  do {
    executor.parallel_for(static_cast<luq::index>(threads), [&](luq::index thread) {
      read_words(words.data() + static_cast<std::size_t>(thread) * part, part);
    });
    ++passes;
  } while (seconds_since(start) < 0.02);
  return passes * static_cast<double>(part * threads * sizeof(std::uint64_t)) / seconds_since(start);
}

template <class Codec>
void matmul(benchmark::State& state, const Codec& codec, luq::activation_mode mode, luq::index tokens) {
  const auto W = luq::pack(luq_bench::random_codes(codec, side(), side()));
  const luq::matrix X = luq::random_normal_matrix(tokens, W.cols(), luq::counter_rng(1));
  luq::matrix Y(tokens, W.rows());
  const luq::openmp_executor executor;
  const double bandwidth = read_bandwidth(W.bytes().size(), executor);
  const auto start = clock::now();
  for (auto _ : state) {
    luq::matmul(W, X, Y, {.activations = mode}, executor);
    float* first = Y.data();
    benchmark::DoNotOptimize(first);
    benchmark::ClobberMemory();
  }
  const double seconds = seconds_since(start);
  constexpr auto rate = benchmark::Counter::kIsIterationInvariantRate;
  const auto bytes = static_cast<double>(W.bytes().size());
  state.counters["weights"] = benchmark::Counter(static_cast<double>(W.rows() * W.cols()), rate);
  state.counters["bytes"] = benchmark::Counter(bytes, rate);
  state.counters["read_bandwidth"] = bandwidth;
  state.counters["fraction_of_bandwidth"] = bytes * static_cast<double>(state.iterations()) / seconds / bandwidth;
}

[[maybe_unused]] const bool registered = [] {
  for (const std::string name : luq_bench::codec_names) {
    for (const auto mode : {luq::activation_mode::float32, luq::activation_mode::int8}) {
      for (const luq::index tokens : {1, 32}) {
        const std::string title = "matmul/" + name + (mode == luq::activation_mode::int8 ? "/int8" : "/float32") +
                                  "/tokens:" + std::to_string(tokens);
        const auto run = [=](benchmark::State& state) {
          std::visit([&](const auto& codec) { matmul(state, codec, mode, tokens); }, luq::parse_codec(name));
        };
        benchmark::RegisterBenchmark(title.c_str(), run)->MinTime(0.2)->Unit(benchmark::kMicrosecond)->UseRealTime();
      }
    }
  }
  return true;
}();

}  // namespace
