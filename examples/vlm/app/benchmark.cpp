// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "benchmark.hpp"

#include <algorithm>
#include <chrono>
#include <luq/core/all_finite.hpp>
#include <luq/core/assert.hpp>
#include <luq/core/error.hpp>
#include <luq/core/random_matrix.hpp>
#include <span>

#include "pipeline.hpp"
#include "read_bandwidth.hpp"

namespace vlm {

namespace {

using clock = std::chrono::steady_clock;

double seconds_between(clock::time_point begin, clock::time_point end) {
  return std::chrono::duration<double>(end - begin).count();
}

std::vector<std::span<const std::byte>> weights_of(const decoder& model) {
  std::vector<std::span<const std::byte>> buffers;
  for (const decoder_layer& layer : model.layers()) {
    for (const decoder_linear which : decoder_linears) buffers.push_back(layer[which].bytes());
  }
  buffers.push_back(model.head().bytes());
  return buffers;
}

decoder_timing without_times(const contender& c) {
  decoder_timing result;
  result.name = c.name;
  luq::index weights = 0;
  for (const decoder_layer& layer : c.model.layers()) {
    for (const decoder_linear which : decoder_linears) {
      result.layer_bytes += static_cast<luq::index>(layer[which].bytes().size());
      weights += layer[which].out_features() * layer[which].in_features();
    }
  }
  result.head_bytes = static_cast<luq::index>(c.model.head().bytes().size());
  result.true_bits = 8.0 * static_cast<double>(result.layer_bytes) / static_cast<double>(weights);
  return result;
}

/// Text that is in a cache before tokens are decoded: any finite keys and values.
void fill(kv_cache& cache, luq::index tokens) {
  for (luq::index number = 0; number < cache.layers(); ++number) {
    layer_cache& layer = cache.layer(number);
    const luq::matrix rows =
        luq::random_normal_matrix(tokens, layer.width(), luq::counter_rng(1, static_cast<std::uint64_t>(number)));
    layer.append(rows, rows);
  }
  const std::vector<luq::token_class> text(static_cast<std::size_t>(tokens), luq::token_class::text);
  cache.note_positions(positions_of(text, {}, 0));
}

struct pass_seconds {
  double layers;
  double head;
};

/// One forward pass over the rows of `embeddings` and the logits of the last one.
pass_seconds run_pass(const contender& c, kv_cache& cache, const luq::matrix& embeddings) {
  luq::matrix X = embeddings;
  const auto start = clock::now();
  const std::vector<luq::token_class> classes(static_cast<std::size_t>(X.rows()), luq::token_class::text);
  const decoder_batch batch = c.model.make_batch({{0, X.rows(), &cache}}, classes);
  c.model.run(batch, X);
  const auto layers_done = clock::now();
  const luq::matrix logits = c.model.logits(X.bottomRows(1));
  const auto done = clock::now();
  if (!luq::all_finite(logits)) {
    luq::fail(luq::errc::non_finite, c.name,
              ": logits of a decoder: expected finite numbers, got a NaN or an infinity");
  }
  return {seconds_between(start, layers_done), seconds_between(layers_done, done)};
}

pass_seconds decode(const contender& c, kv_cache& cache, const luq::matrix& embedding, luq::index tokens) {
  const luq::index context = cache.length();
  pass_seconds sum{0, 0};
  for (luq::index token = 0; token < tokens; ++token) {
    const pass_seconds one = run_pass(c, cache, embedding);
    sum.layers += one.layers;
    sum.head += one.head;
  }
  cache.truncate(context);
  return {sum.layers / static_cast<double>(tokens), sum.head / static_cast<double>(tokens)};
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

std::string range(const std::vector<double>& values, int decimals) {
  const auto [smallest, largest] = std::minmax_element(values.begin(), values.end());
  return fixed(*smallest, decimals) + " ... " + fixed(*largest, decimals);
}

/// f(repetition) for each.
template <class F>
std::vector<double> by_repetition(const std::vector<double>& times, F&& f) {
  std::vector<double> values;
  for (std::size_t i = 0; i < times.size(); ++i) values.push_back(f(i));
  return values;
}

double seconds_of(const decoder_timing& timing, decode_part part, std::size_t repetition) {
  return timing.layer_seconds[repetition] + (part == decode_part::layers ? 0.0 : timing.head_seconds[repetition]);
}

luq::index bytes_of(const decoder_timing& timing, decode_part part) {
  return timing.layer_bytes + (part == decode_part::layers ? 0 : timing.head_bytes);
}

}  // namespace

luq::index cache_bytes(const text_config& config, luq::index positions) {
  constexpr auto key_and_value = static_cast<luq::index>(2 * sizeof(float));
  return positions * config.layers * config.key_value_heads * config.head_dim * key_and_value;
}

std::vector<decoder_timing> time_decoders(const std::vector<contender>& contenders, const benchmark_options& options,
                                          const luq::openmp_executor& executor, luq::progress_observer* progress) {
  LUQ_ASSERT(!contenders.empty() && options.tokens >= 1 && options.repetitions >= 1);
  std::vector<decoder_timing> timings;
  for (const contender& c : contenders) timings.push_back(without_times(c));
  const luq::index hidden = contenders.front().model.hidden_size();
  const luq::matrix embedding = luq::random_normal_matrix(1, hidden, luq::counter_rng(2));

  kv_cache cache = contenders.front().model.make_cache();
  fill(cache, options.context);
  for (const contender& c : contenders) (void)decode(c, cache, embedding, 1);  // the cache grows before it is timed
  {
    luq::progress_scope scope(progress, "decode: repetitions", static_cast<std::uint64_t>(options.repetitions));
    for (luq::index repetition = 0; repetition < options.repetitions; ++repetition) {
      for (std::size_t i = 0; i < contenders.size(); ++i) {
        timings[i].bandwidth.push_back(read_bandwidth(weights_of(contenders[i].model), executor));
        const pass_seconds seconds = decode(contenders[i], cache, embedding, options.tokens);
        timings[i].layer_seconds.push_back(seconds.layers);
        timings[i].head_seconds.push_back(seconds.head);
      }
      scope.advance();
    }
  }
  if (options.prompt == 0) return timings;
  const luq::matrix prompt = luq::random_normal_matrix(options.prompt, hidden, luq::counter_rng(3));
  luq::progress_scope scope(progress, "prefill: repetitions", static_cast<std::uint64_t>(options.repetitions));
  for (luq::index repetition = 0; repetition < options.repetitions; ++repetition) {
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      cache.truncate(0);
      const pass_seconds seconds = run_pass(contenders[i], cache, prompt);
      timings[i].prefill_seconds.push_back(seconds.layers + seconds.head);
    }
    scope.advance();
  }
  return timings;
}

table decode_table(const std::vector<decoder_timing>& timings, decode_part part) {
  const decoder_timing& rival = timings.back();
  table result{{part == decode_part::layers ? "decode, layers alone" : "decode, layers and head", "bytes a token",
                "true bits of layers", "GB/s read", "limit, tokens/s", "tokens/s", "from ... to", "share of limit",
                "times " + rival.name},
               {}};
  for (const decoder_timing& timing : timings) {
    const auto bytes = static_cast<double>(bytes_of(timing, part));
    const auto values = [&](auto&& f) { return by_repetition(timing.layer_seconds, f); };
    const auto rates = values([&](std::size_t i) { return 1 / seconds_of(timing, part, i); });
    const auto limits = values([&](std::size_t i) { return timing.bandwidth[i] / bytes; });
    const auto shares = values([&](std::size_t i) { return rates[i] / limits[i]; });
    const auto gains = values([&](std::size_t i) { return seconds_of(rival, part, i) * rates[i]; });
    result.rows.push_back({timing.name, std::to_string(bytes_of(timing, part)), fixed(timing.true_bits, 3),
                           fixed(median(timing.bandwidth) / 1e9, 1), fixed(median(limits), 2), fixed(median(rates), 2),
                           range(rates, 2), percent(median(shares)), fixed(median(gains), 2)});
  }
  return result;
}

table prefill_table(const std::vector<decoder_timing>& timings, luq::index prompt) {
  const decoder_timing& rival = timings.back();
  table result{{"prefill", "prompt", "tokens/s", "from ... to", "times " + rival.name}, {}};
  for (const decoder_timing& timing : timings) {
    const auto& seconds = timing.prefill_seconds;
    const auto rates = by_repetition(seconds, [&](std::size_t i) { return static_cast<double>(prompt) / seconds[i]; });
    const auto gains = by_repetition(seconds, [&](std::size_t i) { return rival.prefill_seconds[i] / seconds[i]; });
    result.rows.push_back(
        {timing.name, std::to_string(prompt), fixed(median(rates), 1), range(rates, 1), fixed(median(gains), 2)});
  }
  return result;
}

}  // namespace vlm
