// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "benchmark_subjects.hpp"

#include <algorithm>
#include <luq/core/error.hpp>
#include <luq/core/text.hpp>
#include <luq/policy/prefix_scan.hpp>
#include <string>
#include <utility>

#include "pipeline.hpp"
#include "synthetic_decoder.hpp"

namespace vlm {

namespace {

/// Codec of all layers of the decoder that synthetic ones are compared with.
constexpr const char* uniform_rival = "int4:g128";

/// The uniform rival is the last.
std::vector<luq::plan> plans_of(const decoder_architecture& architecture, const bench_options& options) {
  const luq::model_shape shape = decoder_shape(architecture.text);
  const luq::index layers = architecture.text.layers;
  std::vector<luq::plan> plans;
  if (!options.plan_file.empty()) {
    plans.push_back(read_plan(options.plan_file));
    if (plans.back().shape != shape) {
      luq::fail(luq::errc::shape_mismatch, options.plan_file.string(), ": its plan has other layers or shapes than ",
                architecture.name, " of ", layers, " layers");
    }
  } else {
    const luq::index low_layers = options.low_layers.value_or(architecture.low_layers);
    for (const std::string& low : options.low) {
      plans.push_back(luq::prefix_plan(
          {shape, luq::depth_order(layers), luq::parse_recipe(low), luq::parse_recipe(options.high)}, low_layers));
      plans.back().reason =
          std::to_string(low_layers) + " of " + std::to_string(layers) + " layers " + low + ", others " + options.high;
    }
  }
  plans.push_back(luq::uniform_plan(shape, luq::parse_recipe(uniform_rival)));
  return plans;
}

void require_memory(const std::string& name, luq::index bytes, double limit) {
  constexpr double gib = 1024.0 * 1024.0 * 1024.0;
  const double needed = static_cast<double>(bytes) / gib;
  if (needed > limit) {
    luq::fail(luq::errc::impossible_budget, name, ": weights of all decoders and the cache take ", fixed(needed, 3),
              " GiB, more than the ", limit, " GiB of --memory");
  }
}

}  // namespace

bench_subjects synthetic_subjects(const bench_options& options) {
  decoder_architecture architecture = architecture_by_name(options.synthetic);
  if (options.layers) architecture = architecture.first_layers(*options.layers);
  const text_config& text = architecture.text;
  const luq::recipe head = luq::parse_recipe(options.head);
  const std::vector<luq::plan> plans = plans_of(architecture, options);
  const luq::index weights = synthetic_bytes(architecture, plans, head);
  const luq::index positions = std::max(options.timing.context + options.timing.tokens, options.timing.prompt);
  require_memory(architecture.name, weights + cache_bytes(text, positions), options.memory);

  std::string introduction =
      luq::text_of(architecture.name, ": ", text.layers, " layers, hidden size ", text.hidden_size,
                   ", intermediate size ", text.intermediate_size, ", ", text.heads, " heads on ", text.key_value_heads,
                   " of keys and values, vocabulary ", text.vocabulary,
                   ". Weights are random: 64 rows of each size and codec, repeated. Every layer has them in memory of "
                   "its own; equal layers and the head are shared among decoders, ",
                   weights, " bytes for all. The head is ", recipe_name(head), " in each and part of no plan.");
  bench_subjects result{std::move(introduction), text, {}};
  synthetic_decoders decoders(architecture, head);
  for (const luq::plan& choice : plans) result.contenders.push_back({choice.reason, decoders.with_plan(choice)});
  return result;
}

bench_subjects packed_subjects(const std::filesystem::path& model_directory, const bench_options& options) {
  const vision_language_model model(model_directory);
  const luq::packed_model file(options.packed);
  const std::string introduction =
      options.packed.string() + ": " + file.planned().reason + ". The head is in float in both decoders.";
  return {introduction,
          model.config().text,
          {{"packed file", with_packed_decoder(model, file).text_decoder()}, {"float", model.text_decoder()}}};
}

}  // namespace vlm
