// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "pipeline.hpp"

#include <charconv>
#include <fstream>
#include <iterator>
#include <luq/core/error.hpp>
#include <luq/io/luq/plan_json.hpp>
#include <luq/io/safetensors/checkpoint.hpp>
#include <luq/models/tensor_place.hpp>
#include <memory>
#include <numeric>
#include <optional>

namespace vlm {

namespace {

/// "6.012 [5.998, 6.031]"
std::string with_interval(const luq::entropy_estimate& estimate) {
  return fixed(estimate.bits, 3) + " [" + fixed(estimate.low, 3) + ", " + fixed(estimate.high, 3) + "]";
}

std::string with_interval(const std::optional<luq::entropy_estimate>& estimate) {
  return estimate ? with_interval(*estimate) : "too few tokens";
}

bool is_decoder_linear(const std::string& name, const luq::tensor_info& info) {
  const std::optional<luq::tensor_place> place = luq::find_tensor_place(name, info.shape.size());
  return place && place->part == luq::model_part::decoder_linear;
}

}  // namespace

std::vector<luq::layer_entropy> estimate_entropies(const calibration& statistics, const luq::openmp_executor& executor,
                                                   luq::progress_observer* progress) {
  std::vector<luq::layer_entropy> entropies(statistics.layers.size());
  luq::progress_scope scope(progress, "entropies: layers", entropies.size());
  const luq::index at_once = executor.concurrency();
  for (luq::index first = 0; first < static_cast<luq::index>(entropies.size()); first += at_once) {
    const luq::index count = std::min(at_once, static_cast<luq::index>(entropies.size()) - first);
    executor.parallel_for(count, [&](luq::index i) {
      const auto layer = static_cast<std::size_t>(first + i);
      entropies[layer] = statistics.layers[layer].outputs.estimate();
    });
    scope.advance(static_cast<std::uint64_t>(count));
  }
  return entropies;
}

std::vector<double> entropy_scores(const std::vector<luq::layer_entropy>& entropies) {
  std::vector<double> scores;
  for (const auto& layer : entropies) scores.push_back(layer.all.bits);
  return scores;
}

std::vector<named_order> orders_to_compare(const std::vector<double>& scores, int random_orders) {
  std::vector<named_order> orders{order_by_name("lowest", scores), order_by_name("highest", scores),
                                  order_by_name("depth", scores)};
  for (int seed = 1; seed <= random_orders; ++seed) {
    orders.push_back(order_by_name("random:" + std::to_string(seed), scores));
  }
  return orders;
}

named_order order_by_name(const std::string& name, const std::vector<double>& scores) {
  const auto layers = static_cast<luq::index>(scores.size());
  if (name == "lowest") return {"lowest entropy first", luq::lowest_entropy_first(scores)};
  if (name == "highest") return {"highest entropy first", luq::highest_entropy_first(scores)};
  if (name == "depth") return {"depth", luq::depth_order(layers)};
  if (name == "random") return {"random 1", luq::random_order(layers, 1)};
  if (name.starts_with("random:")) {
    std::uint64_t seed = 0;
    const char* begin = name.data() + 7;
    const char* end = name.data() + name.size();
    const auto [stop, failure] = std::from_chars(begin, end, seed);
    if (failure == std::errc() && stop == end) return {"random " + name.substr(7), luq::random_order(layers, seed)};
  }
  luq::fail(luq::errc::invalid_argument, "order \"", name,
            "\": expected lowest, highest, depth, random or random:SEED");
}

luq::index bytes_after_saving(const luq::prefix_policy& policy, double saving) {
  const auto uniform = static_cast<double>(luq::total_bytes(luq::uniform_plan(policy.shape, policy.high)));
  return static_cast<luq::index>((1 - saving) * uniform);
}

table entropy_table(const std::vector<luq::layer_entropy>& entropies) {
  table result{{"layer", "all tokens", "s.d. of seeds", "text tokens", "image tokens", "place in order"}, {}};
  const luq::layer_order order = luq::lowest_entropy_first(entropy_scores(entropies));
  std::vector<std::size_t> place(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) place[static_cast<std::size_t>(order[i])] = i + 1;
  for (std::size_t layer = 0; layer < entropies.size(); ++layer) {
    const auto& entropy = entropies[layer];
    result.rows.push_back({std::to_string(layer), with_interval(entropy.all), fixed(entropy.all.seed_deviation, 4),
                           with_interval(entropy.text), with_interval(entropy.image), std::to_string(place[layer])});
  }
  return result;
}

table plan_table(const luq::plan& choice) {
  table result{{"layer", "recipe", "bytes", "true bits", "nominal bits"}, {}};
  for (std::size_t layer = 0; layer < choice.shape.size(); ++layer) {
    const luq::index bytes = luq::layer_bytes(choice, layer);
    const double bits = 8.0 * static_cast<double>(bytes) / static_cast<double>(luq::weights_of(choice.shape[layer]));
    result.rows.push_back({std::to_string(layer), luq::recipe_name(choice.recipes[layer]), std::to_string(bytes),
                           fixed(bits, 3), fixed(luq::nominal_bits(choice.recipes[layer].codec), 2)});
  }
  result.rows.push_back({"all", "", std::to_string(luq::total_bytes(choice)), fixed(luq::average_bits(choice), 3),
                         fixed(luq::average_nominal_bits(choice), 2)});
  return result;
}

table dead_input_table(const quantized_decoder& decoder) {
  table result{{"layer", "linear", "inputs", "never used"}, {}};
  for (std::size_t layer = 0; layer < decoder.layers.size(); ++layer) {
    for (std::size_t i = 0; i < decoder_linears.size(); ++i) {
      const quantized_linear& linear = decoder.layers[layer][i];
      if (linear.report.dead_columns == 0) continue;
      result.rows.push_back({std::to_string(layer), std::string(tensor_name(decoder_linears[i])),
                             std::to_string(linear.decoded->cols()), std::to_string(linear.report.dead_columns)});
    }
  }
  return result;
}

table accuracy_table(const question_set& questions, const accuracy& result) {
  table rows{{"question", "asked", "right", "accuracy"}, {}};
  for (std::size_t kind = 0; kind < questions.kinds.size(); ++kind) {
    if (result.asked[kind] == 0) continue;
    rows.rows.push_back({questions.kinds[kind], std::to_string(result.asked[kind]), std::to_string(result.right[kind]),
                         percent(result.of_kind(kind))});
  }
  const auto sum = [](const std::vector<luq::index>& counts) {
    return std::to_string(std::accumulate(counts.begin(), counts.end(), luq::index{0}));
  };
  rows.rows.push_back({"all", sum(result.asked), sum(result.right), percent(result.overall())});
  return rows;
}

luq::plan read_plan(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) luq::fail(luq::errc::io_failure, path.string(), ": cannot be read");
  return luq::plan_from_json(text, path.string());
}

luq::packed_model_size write_planned_model(const std::filesystem::path& file,
                                           const std::filesystem::path& model_directory, const luq::plan& choice,
                                           const std::vector<const quantized_decoder*>& decoders) {
  luq::packed_layers weights(choice.shape.size());
  for (std::size_t layer = 0; layer < choice.shape.size(); ++layer) {
    for (const quantized_decoder* decoder : decoders) {
      if (decoder->how != choice.recipes[layer]) continue;
      for (const auto& linear : decoder->layers[layer]) weights[layer].push_back(linear.packed.get());
      break;
    }
  }
  const luq::checkpoint stored(model_directory);
  std::vector<luq::tensor_source> others;
  for (const std::string& name : stored.names()) {
    const luq::tensor_info& info = stored.info(name);
    if (is_decoder_linear(name, info)) continue;
    others.push_back({{name, info.dtype, info.shape}, stored.bytes(name)});
  }
  luq::write_packed_model(file, choice, weights, others);
  return luq::predict_packed_model_size(choice, others);
}

vision_language_model with_packed_decoder(const vision_language_model& model, const luq::packed_model& file) {
  if (file.planned().shape != decoder_shape(model)) {
    luq::fail(luq::errc::shape_mismatch, file.file().source(),
              ": its decoder has other layers or shapes than the model");
  }
  vision_language_model result = model;
  for (std::size_t layer = 0; layer < file.layers().size(); ++layer) {
    for (std::size_t i = 0; i < decoder_linears.size(); ++i) {
      result.set_decoder_weights(static_cast<luq::index>(layer), decoder_linears[i],
                                 std::make_shared<const luq::any_packed_matrix>(file.layers()[layer][i]));
    }
  }
  return result;
}

std::string percent(double share) {
  return fixed(100 * share, 1) + " %";
}

}  // namespace vlm
