// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Time to pack codes into bytes and to take them out again, on one thread. `weights` is weights a second.
#include "luq/codecs/packed_matrix.hpp"

#include <benchmark/benchmark.h>

#include <string>
#include <variant>

#include "../random_codes.hpp"

namespace {

constexpr luq::index side = 1024;

void count_weights(benchmark::State& state) {
  state.counters["weights"] =
      benchmark::Counter(static_cast<double>(side * side), benchmark::Counter::kIsIterationInvariantRate);
}

template <class Codec>
void pack(benchmark::State& state, const Codec& codec) {
  const auto codes = luq_bench::random_codes(codec, side, side);
  for (auto _ : state) {
    auto packed = luq::pack(codes);
    const std::byte* bytes = packed.bytes().data();
    benchmark::DoNotOptimize(bytes);
  }
  count_weights(state);
}

template <class Codec>
void unpack(benchmark::State& state, const Codec& codec) {
  const auto packed = luq::pack(luq_bench::random_codes(codec, side, side));
  for (auto _ : state) {
    auto codes = packed.unpack();
    const luq::code* first = codes.codes.data();
    benchmark::DoNotOptimize(first);
  }
  count_weights(state);
}

template <class Run>
void add(const std::string& name, Run&& run) {
  benchmark::RegisterBenchmark(name.c_str(), run)->MinTime(0.2)->Unit(benchmark::kMillisecond);
}

[[maybe_unused]] const bool registered = [] {
  for (const std::string& name : luq_bench::codec_names()) {
    std::visit(
        [&](const auto& codec) {
          add("pack/" + name, [codec](benchmark::State& state) { pack(state, codec); });
          add("unpack/" + name, [codec](benchmark::State& state) { unpack(state, codec); });
        },
        luq::parse_codec(name));
  }
  return true;
}();

}  // namespace
