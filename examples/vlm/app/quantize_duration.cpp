// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "quantize_duration.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <luq/core/error.hpp>
#include <luq/core/matrix_view.hpp>
#include <luq/core/random_matrix.hpp>
#include <luq/estimators/hessian.hpp>
#include <numeric>
#include <variant>

#include "../engine/decoder_layer.hpp"
#include "../engine/decoder_linear.hpp"
#include "../engine/window_order.hpp"

namespace vlm {

namespace {

using clock = std::chrono::steady_clock;

constexpr double recipes = 2;  // of the low layers and of the high ones

double square(double x) {
  return x * x;
}

/// Scores and weighted values of n tokens that look at each other.
double attention_operations(double tokens, double width) {
  return 4 * square(tokens) * width;
}

/// The perceptron behind a tower, for one image.
double perceptron_operations(double tokens, double in, double hidden, double out) {
  return 2 * tokens * hidden * (in + out);
}

/// Linears of a transformer's layers, and what turns patches into rows.
double tower_operations(double rows, double width, double weights_of_mlp, luq::index layers) {
  return static_cast<double>(layers) * 2 * rows * (4 * square(width) + weights_of_mlp);
}

double image_operations(const llava_vision_config& config, const image&, double hidden) {
  const clip_config& tower = config.tower;
  const auto width = static_cast<double>(tower.hidden_size);
  const auto patches = static_cast<double>(tower.patches());
  const double tokens = patches + 1;  // and the class token
  const double embedding =
      2 * patches * static_cast<double>(tower.channels) * square(static_cast<double>(tower.patch_size)) * width;
  const double linears =
      tower_operations(tokens, width, 2 * width * static_cast<double>(tower.intermediate_size), tower.layers);
  const double attention = static_cast<double>(tower.layers) * attention_operations(tokens, width);
  const double states = static_cast<double>(config.feature_states.size());
  return embedding + linears + attention +
         perceptron_operations(static_cast<double>(config.tokens_per_image()), width * states, hidden, hidden);
}

double image_operations(const qwen_vision_config& config, const image& picture, double hidden) {
  if (!picture.grid) {
    luq::fail(luq::errc::shape_mismatch, "image: expected patches and their grid, got the pixels of a whole picture");
  }
  const auto width = static_cast<double>(config.hidden_size);
  const auto patches = static_cast<double>(picture.grid->cells());
  const image_grid tokens = config.merged(*picture.grid);
  double within_windows = 0;
  for (const luq::index size : order_by_windows(tokens, config.tokens_per_window_side()).sizes) {
    within_windows += attention_operations(static_cast<double>(size * config.merged_patches()), width);
  }
  double attention = 0;
  for (luq::index layer = 0; layer < config.layers; ++layer) {
    attention += config.attends_to_all(layer) ? attention_operations(patches, width) : within_windows;
  }
  const double embedding = 2 * patches * static_cast<double>(config.patch_values()) * width;
  const double linears =
      tower_operations(patches, width, 3 * width * static_cast<double>(config.intermediate_size), config.layers);
  const double merged = static_cast<double>(config.merged_patches()) * width;
  return embedding + linears + attention +
         perceptron_operations(static_cast<double>(tokens.cells()), merged, merged, hidden);
}

/// An image through the vision tower and what is behind it.
double image_operations(const model_config& config, const image& picture) {
  const auto hidden = static_cast<double>(config.text.hidden_size);
  return std::visit([&](const auto& vision) { return image_operations(vision, picture, hidden); }, config.vision);
}

double input_width(const text_config& text, linear_input input) {
  for (const decoder_linear which : decoder_linears) {
    if (input_of(which) == input) return static_cast<double>(size_of(text, which).in);
  }
  return 0;
}

/// One clustering of `tokens`: k-means++ with its trials, and 20 iterations.
double clustering_operations(double tokens, double width, const luq::kmeans_options& options) {
  constexpr double usual_iterations = 20;
  const auto clusters = static_cast<double>(options.clusters);
  const double trials = options.trials > 0 ? static_cast<double>(options.trials) : 2 + std::floor(std::log(clusters));
  return 2 * tokens * clusters * width * (trials + usual_iterations);
}

}  // namespace

std::vector<counted_work> count_quantize_work(const model_config& config, std::span<const image> images,
                                              std::span<const calibration_sequence> sequences,
                                              const luq::activation_entropy_options& entropy) {
  const text_config& text = config.text;
  const auto layers = static_cast<double>(text.layers);
  double tokens = 0;
  double image_tokens = 0;
  double attention = 0;
  double encoding = 0;
  for (const calibration_sequence& sequence : sequences) {
    const auto length = static_cast<double>(sequence.valid_tokens());
    tokens += length;
    attention += attention_operations(length, static_cast<double>(text.heads * text.head_dim));
    if (sequence.image >= 0) encoding += image_operations(config, images[static_cast<std::size_t>(sequence.image)]);
    image_tokens += static_cast<double>(std::ranges::count(sequence.ids, config.image_token));
  }

  double forward = attention;
  double factors = 0;
  for (const decoder_linear which : decoder_linears) {
    const auto out = static_cast<double>(size_of(text, which).out);
    const auto in = static_cast<double>(size_of(text, which).in);
    forward += 2 * tokens * out * in;
  }
  double hessians = 0;
  for (const linear_input input : linear_inputs) {
    const double in = input_width(text, input);
    hessians += tokens * square(in);
    factors += recipes * 2 / 3 * in * square(in);
  }
  double clusterings = 0;
  for (const double kind : {tokens, tokens - image_tokens, image_tokens}) {
    clusterings += clustering_operations(std::min(kind, static_cast<double>(entropy.capacity)),
                                         static_cast<double>(text.hidden_size), entropy.clustering);
  }
  return {{"forward passes", layers * forward + encoding},
          {"Hessians", layers * hessians},
          {"entropies", layers * static_cast<double>(entropy.seeds) * clusterings},
          {"factors", layers * factors}};
}

double product_rate(const luq::openmp_executor& executor) {
  constexpr luq::index rows = 256;
  constexpr luq::index width = 512;
  constexpr double operations = 2.0 * rows * width * width;
  const luq::matrix X = luq::matrix::Constant(rows, width, 0.5f);
  const luq::matrix W = luq::matrix::Constant(width, width, 0.25f);
  std::vector<double> rates(static_cast<std::size_t>(executor.concurrency()));
  executor.parallel_for(static_cast<luq::index>(rates.size()), [&](luq::index thread) {
    luq::matrix product = X * W.transpose();  // [rows x width]; caches and clock get ready
    const clock::time_point start = clock::now();
    double rounds = 0;
    double seconds = 0;
    while (seconds < 0.2) {
      product.noalias() = X * W.transpose();
      ++rounds;
      seconds = std::chrono::duration<double>(clock::now() - start).count();
    }
    rates[static_cast<std::size_t>(thread)] = rounds * operations / seconds;
  });
  return std::accumulate(rates.begin(), rates.end(), 0.0);
}

double search_speed::seconds(const text_config& text) const {
  double sum = 0;
  for (const decoder_linear which : decoder_linears) {
    const auto out = static_cast<double>(size_of(text, which).out);
    const auto in = static_cast<double>(size_of(text, which).in);
    sum += out * in * (per_weight + per_weight_and_input * in);
  }
  return static_cast<double>(text.layers) * sum;
}

search_speed measure_search(const luq::recipe& how, double rate, const luq::openmp_executor& executor) {
  constexpr luq::index rows = 64;
  constexpr double narrow = 128;
  constexpr double wide = 512;
  const auto threads = static_cast<luq::index>(executor.concurrency());
  const auto seconds_per_weight = [&](double columns) {
    const auto in = static_cast<luq::index>(columns);
    const luq::matrix W = luq::random_normal_matrix(rows, in, luq::counter_rng(1));
    luq::matrix X = luq::random_normal_matrix(2 * in, in, luq::counter_rng(2));
    for (luq::index c = 1; c < in; ++c) X.col(c) = 0.8f * X.col(c - 1) + 0.6f * X.col(c);  // correlated inputs
    luq::hessian accumulated(in);
    accumulated.add(X);
    const luq::matrix H = accumulated.matrix();
    const clock::time_point start = clock::now();
    executor.parallel_for(threads, [&](luq::index) {
      const luq::linear_inputs inputs = luq::linear_inputs::borrow(H);  // each thread factorises for itself
      (void)quantize_linear({W, inputs}, how);
    });
    const double factors = static_cast<double>(threads) * 2 / 3 * columns * square(columns) / rate;
    const double searches = std::chrono::duration<double>(clock::now() - start).count() - factors;
    return std::max(0.0, searches) / (static_cast<double>(threads * rows) * columns);
  };
  const double at_narrow = seconds_per_weight(narrow);
  const double slope = std::max(0.0, (seconds_per_weight(wide) - at_narrow) / (wide - narrow));
  return {luq::recipe_name(how), std::max(0.0, at_narrow - narrow * slope), slope};
}

table duration_table(const std::vector<counted_work>& work, double rate, const std::vector<search_speed>& searches,
                     const text_config& text) {
  table result{{"work", "10^9 operations", "time"}, {}};
  double sum = 0;
  const auto add_row = [&](const std::string& name, const std::string& operations, double seconds) {
    result.rows.push_back({name, operations, duration_text(seconds)});
    sum += seconds;
  };
  for (const counted_work& part : work) {
    add_row(part.name, fixed(part.operations / 1e9, 1), part.operations / rate);
  }
  for (const search_speed& search : searches) add_row(search.recipe, "", search.seconds(text));
  result.rows.push_back({"all", "", duration_text(sum)});
  return result;
}

std::string duration_text(double seconds) {
  if (seconds < 9.95) return fixed(seconds, 1) + " s";
  if (seconds < 99.5) return fixed(seconds, 0) + " s";
  if (seconds < 99.5 * 60) return fixed(seconds / 60, 0) + " min";
  return fixed(seconds / 3600, 1) + " h";
}

}  // namespace vlm
