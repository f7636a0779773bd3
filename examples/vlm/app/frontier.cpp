// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "frontier.hpp"

#include <algorithm>
#include <cmath>
#include <luq/quantizers/output_error.hpp>

#include "pipeline.hpp"

namespace vlm {

namespace {

/// Relative output error of every linear under another calibration's Hessians, layer by layer.
std::vector<double> errors_under(const vision_language_model& model, const calibration& statistics,
                                 const quantized_decoder& decoder, const luq::openmp_executor& executor) {
  constexpr std::size_t linears = decoder_linears.size();
  std::vector<double> errors(decoder.layers.size() * linears);
  executor.parallel_for(static_cast<luq::index>(errors.size()), [&](luq::index i) {
    const std::size_t layer = static_cast<std::size_t>(i) / linears;
    const decoder_linear which = decoder_linears[static_cast<std::size_t>(i) % linears];
    errors[static_cast<std::size_t>(i)] =
        luq::relative_output_error(float_weights(model, static_cast<luq::index>(layer), which),
                                   *decoder.layers[layer][static_cast<std::size_t>(i) % linears].decoded,
                                   statistics.layers[layer].hessian_of(which).matrix());
  });
  return errors;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

/// Share of values at most `factor` times their reference.
double share_within(const std::vector<double>& values, const std::vector<double>& reference, double factor) {
  double within = 0;
  for (std::size_t i = 0; i < values.size(); ++i) within += values[i] <= factor * reference[i] ? 1 : 0;
  return within / static_cast<double>(values.size());
}

}  // namespace

std::pair<std::vector<calibration_sequence>, std::vector<calibration_sequence>> split_sequences(
    const std::vector<calibration_sequence>& sequences) {
  std::pair<std::vector<calibration_sequence>, std::vector<calibration_sequence>> halves;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    (i % 2 == 0 ? halves.first : halves.second).push_back(sequences[i]);
  }
  return halves;
}

const std::vector<luq::recipe>& frontier_recipes() {
  static const std::vector<luq::recipe> recipes = [] {
    std::vector<luq::recipe> result;
    for (const char* how :
         {"billm:g128/billm", "sign:g128/gptq", "sign:g128", "rowcol/sign:g128", "hadamard/sign:g128",
          "ternary:g128/gptq", "ternary:g128", "bcq2:g128/gptq", "bcq2:g128", "trellis1:g0", "trellis1.58:g0",
          "trellis2:g0", "int2:g128:searched", "hadamard/int2:g128:searched", "awq/int3:g128:searched/gptq",
          "lloyd2:g128", "lloyd3:g64", "int4:g128/rtn", "lloyd4:g64"}) {
      result.push_back(luq::parse_recipe(how));
    }
    return result;
  }();
  return recipes;
}

std::vector<frontier_point> measure_frontier(const vision_language_model& model, const calibration& seen,
                                             const calibration& held_out, const examination& exam,
                                             const std::vector<luq::recipe>& recipes,
                                             const luq::openmp_executor& executor, luq::progress_observer* progress) {
  const luq::model_shape shape = decoder_shape(model);
  std::vector<frontier_point> points;
  std::vector<double> reference;
  for (const luq::recipe& how : recipes) {
    const quantized_decoder decoder = quantize_decoder(model, seen, how, executor, progress);
    const std::vector<double> errors = errors_under(model, held_out, decoder, executor);
    if (reference.empty()) reference = errors;
    const luq::plan uniform = luq::uniform_plan(shape, how);
    points.push_back({how, luq::average_bits(uniform), decoder.mean_output_error(), mean(errors),
                      share_within(errors, reference, 0.5), share_within(errors, reference, 1.0),
                      exam.take(planned_model(model, uniform, {&decoder}, weight_form::decoded)).overall()});
  }
  return points;
}

table frontier_table(const std::vector<frontier_point>& points) {
  table rows{{"recipe", "true bits", "output error", "on held-out tokens", "linears with at most half the first's",
              "at most the first's", "accuracy"},
             {}};
  for (const frontier_point& point : points) {
    rows.rows.push_back({luq::recipe_name(point.how), fixed(point.true_bits, 3), fixed(point.error, 4),
                         fixed(point.held_out_error, 4), percent(point.halves_reference),
                         percent(point.equals_reference), percent(point.accuracy)});
  }
  return rows;
}

chart frontier_chart(const std::vector<frontier_point>& points) {
  std::vector<frontier_point> by_bits = points;
  std::sort(by_bits.begin(), by_bits.end(), [](const auto& a, const auto& b) { return a.true_bits < b.true_bits; });
  chart figure{"Output error on held-out tokens against true bits",
               "true bits a weight",
               "log10 of relative output error",
               chart_kind::line,
               {},
               false};
  const auto add_series = [&](const std::string& name, auto&& belongs, bool emphasized) {
    chart_series series{name, {}, {}, {}, {}, emphasized};
    for (const frontier_point& point : by_bits) {
      if (!belongs(point.how)) continue;
      series.x.push_back(point.true_bits);
      series.y.push_back(std::log10(point.held_out_error));
    }
    if (!series.x.empty()) figure.series.push_back(std::move(series));
  };
  const auto is_plain = [](const luq::recipe& r) { return r.transform == luq::transform_method::none; };
  add_series("beam search", [&](const luq::recipe& r) { return r.search == luq::code_search::beam; }, true);
  add_series("refined", [&](const luq::recipe& r) { return r.refines && is_plain(r); }, false);
  add_series("refined after a transform", [&](const luq::recipe& r) { return r.refines && !is_plain(r); }, false);
  add_series(
      "column feedback",
      [&](const luq::recipe& r) { return r.search == luq::code_search::gptq && !r.refines && is_plain(r); }, false);
  add_series("BiLLM as published", [](const luq::recipe& r) { return r.search == luq::code_search::billm; }, false);
  return figure;
}

}  // namespace vlm
