// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "demo.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iostream>
#include <luq/core/error.hpp>
#include <luq/estimators/entropy.hpp>
#include <luq/io/files/output_check.hpp>
#include <luq/io/files/text_file.hpp>
#include <optional>
#include <system_error>

#include "frontier.hpp"
#include "model_files.hpp"
#include "pipeline.hpp"

namespace vlm {

namespace {

/// Codecs of at most 1.75 true bits from which the ultra-low recipe is chosen.
const std::vector<std::string> low_candidates{"trellis1:g0", "sign:g128", "trellis1.58:g0", "ternary:g128"};

constexpr const char* report_file = "report.html";
constexpr const char* results_file = "results.md";
constexpr const char* packed_file = "packed.safetensors";

/// Outputs that cannot be written are errors before the model is loaded.
void require_outputs(const settings& s, const demo_options& options) {
  std::vector<std::filesystem::path> inputs = model_files(s.model);
  inputs.push_back(s.calibration);
  inputs.push_back(s.test);
  luq::require_output_folder(options.output, std::array<std::string, 3>{report_file, results_file, packed_file},
                             inputs);
}

/// Half the width of the 95 % interval of an accuracy of one half measured on `questions` questions, where it is
/// widest.
double widest_margin(std::size_t questions) {
  return 1.96 * std::sqrt(0.25 / static_cast<double>(questions));
}

/// Everything the steps of the demo share, and the report they add to.
class demo_run {
 public:
  demo_run(const settings& s, const demo_options& options, luq::progress_observer* progress)
      : settings_(s),
        options_(options),
        progress_(progress),
        model_(s.model),
        calibration_(read_calibration_set(s.calibration)),
        questions_(read_question_set(s.test)),
        shape_(decoder_shape(model_)),
        totals_(count_tokens(calibration_)),
        tokens_(s.tokens > 0 ? s.tokens : totals_.of_every_ratio()) {}

  void run() {
    require_possible();
    exam_.emplace(model_, questions_, settings_.executor, progress_);
    introduce();
    measure_float_accuracy();
    statistics_ = calibrate_at(settings_.alpha);
    measure_entropies();
    quantize_both();
    compare_orders();
    compare_rivals();
    compare_low_candidates();
    measure_frontier_of_codecs();
    sweep_mixing_ratio();
    write_and_reload();
    luq::write_text_file(options_.output / report_file, render_html(report_));
    luq::write_text_file(options_.output / results_file, render_markdown(report_));
    std::cout << "\nwrote " << (options_.output / report_file).string() << ", " << results_file << " and "
              << packed_file << "\n";
  }

 private:
  // Output: each part goes to the console as Markdown and into the report.
  void add(document_part part) {
    document single{"", {part}};
    const std::string text = render_markdown(single);
    std::cout << text.substr(text.find("\n\n") + 1) << std::flush;
    report_.parts.push_back(std::move(part));
  }

  [[nodiscard]] calibration calibrate_at(double alpha) const {
    return calibrate(model_, calibration_, mix_sequences(calibration_, alpha, tokens_), settings_.calibrating(),
                     settings_.executor, progress_);
  }

  [[nodiscard]] quantized_decoder quantize(const calibration& statistics, const std::string& how) const {
    return quantize_decoder(model_, statistics, read_recipe(how), settings_.executor, progress_);
  }

  [[nodiscard]] double uniform_accuracy(const quantized_decoder& decoder) const {
    return exam_->take(planned_model(model_, luq::uniform_plan(shape_, decoder.how), {&decoder}, weight_form::decoded))
        .overall();
  }

  /// An unknown recipe, an impossible budget, too few tokens and a folder that cannot be made are errors before the
  /// work, not after it.
  void require_possible() const {
    (void)mix_sequences(calibration_, settings_.alpha, tokens_);
    const luq::prefix_policy policy{shape_, luq::depth_order(static_cast<luq::index>(shape_.size())),
                                    read_recipe(settings_.low), read_recipe(settings_.high), ""};
    (void)luq::plan_within_bytes(policy, bytes_after_saving(policy, options_.saving));
    std::error_code failure;
    std::filesystem::create_directories(options_.output, failure);
    if (failure) luq::fail(luq::errc::io_failure, options_.output.string(), ": ", failure.message());
  }

  void introduce() {
    report_.title = "Layerwise ultra-low-bit quantization of " + settings_.model.filename().string();
    const auto weights = luq::weights_of(shape_);
    add(paragraph{"A decoder of " + std::to_string(shape_.size()) + " layers whose linears have " +
                  std::to_string(weights) + " weights; " + std::to_string(questions_.questions.size()) +
                  " test questions on images of which no part was seen in training or calibration. Every figure of "
                  "bits is 8 * bytes / weights of the packed decoder linears, scales and flags included; vision "
                  "tower, projector, embeddings, norms and head stay as they are. Hessians and entropies are of the "
                  "float model."});
    if (!options_.command.empty()) add(preformatted{options_.command});
  }

  void measure_float_accuracy() {
    const accuracy result = exam_->take(model_);
    float_accuracy_ = result.overall();
    add(heading{"Float accuracy by kind of question"});
    add(accuracy_table(questions_, result));
    add(paragraph{"Always giving the most frequent answer of each kind: " + percent(majority_accuracy(questions_)) +
                  ". The number of questions gives the accuracies below a 95 % interval of at most +-" +
                  percent(widest_margin(questions_.questions.size())) + "."});
  }

  void measure_entropies() {
    entropies_ = estimate_entropies(statistics_, settings_.executor, progress_);
    scores_ = entropy_scores(entropies_);
    orders_ = orders_to_compare(scores_, options_.random_orders);
    add(heading{"Entropy of each layer's outputs, in bits, with 95 % intervals"});
    add(paragraph{"Calibration at mixing ratio " + fixed(settings_.alpha, 2) + ": " +
                  std::to_string(statistics_.sequences) + " sequences, " + std::to_string(statistics_.text_tokens) +
                  " text and " + std::to_string(statistics_.image_tokens) + " image tokens; k-means with " +
                  std::to_string(settings_.clusters) + " clusters, " + std::to_string(settings_.seeds) +
                  " seeds; the upper bound is " + fixed(std::log2(static_cast<double>(settings_.clusters)), 3) + "."});
    add(entropy_table(entropies_));
    chart figure{"Entropy by layer", "layer", "bits", chart_kind::line, {}, false};
    figure.series.push_back(entropy_series("all tokens", [](const auto& layer) { return std::optional(layer.all); }));
    figure.series.back().emphasized = true;
    figure.series.push_back(entropy_series("text", [](const auto& layer) { return layer.text; }));
    figure.series.push_back(entropy_series("image", [](const auto& layer) { return layer.image; }));
    std::erase_if(figure.series, [](const chart_series& series) { return series.x.empty(); });
    add(figure);
  }

  template <class Select>
  [[nodiscard]] chart_series entropy_series(const std::string& name, Select&& select) const {
    chart_series series{name, {}, {}};
    for (std::size_t layer = 0; layer < entropies_.size(); ++layer) {
      const std::optional<luq::entropy_estimate> estimate = select(entropies_[layer]);
      if (!estimate) continue;
      series.x.push_back(static_cast<double>(layer));
      series.y.push_back(estimate->bits);
      series.low.push_back(estimate->low);
      series.high.push_back(estimate->high);
    }
    return series;
  }

  void quantize_both() {
    low_ = quantize(statistics_, settings_.low);
    high_ = quantize(statistics_, settings_.high);
    evaluator_.emplace(model_, *exam_, low_, high_);
    add(heading{"Relative output error of each layer under both recipes"});
    table errors{{"layer", luq::recipe_name(low_.how), luq::recipe_name(high_.how)}, {}};
    for (std::size_t layer = 0; layer < shape_.size(); ++layer) {
      errors.rows.push_back(
          {std::to_string(layer), fixed(mean_error(low_, layer), 4), fixed(mean_error(high_, layer), 5)});
    }
    add(errors);
  }

  [[nodiscard]] static double mean_error(const quantized_decoder& decoder, std::size_t layer) {
    double sum = 0;
    for (const auto& linear : decoder.layers[layer]) sum += linear.output_error;
    return sum / static_cast<double>(decoder.layers[layer].size());
  }

  [[nodiscard]] luq::prefix_policy policy_of(const named_order& order) const {
    return {shape_, order.order, low_.how, high_.how, order.name};
  }

  void compare_orders() {
    add(heading{"Accuracy against true bits, layer by layer"});
    add(paragraph{"The first k layers of each order get " + luq::recipe_name(low_.how) + ", the others " +
                  luq::recipe_name(high_.how) + ". All orders have the same bytes at the same k."});
    table rows{{"k", "true bits", "nominal bits"}, {}};
    chart figure{"Accuracy against true bits a weight", "true bits a weight", "accuracy", chart_kind::line, {}, false};
    std::vector<double> area;
    luq::progress_scope scope(progress_, "scan: plans", orders_.size() * (shape_.size() + 1));
    for (std::size_t o = 0; o < orders_.size(); ++o) {
      rows.header.push_back(orders_[o].name);
      chart_series series{orders_[o].name, {}, {}, {}, {}, o == 0};
      const auto points = luq::scan_prefixes(policy_of(orders_[o]), [&](const luq::plan& choice) {
        scope.advance();
        return (*evaluator_)(choice).overall();
      });
      area.push_back(0);
      for (std::size_t k = 0; k < points.size(); ++k) {
        if (o == 0) {
          rows.rows.push_back({std::to_string(k), fixed(luq::average_bits(points[k].choice), 3),
                               fixed(luq::average_nominal_bits(points[k].choice), 2)});
        }
        rows.rows[k].push_back(percent(points[k].quality));
        series.x.push_back(luq::average_bits(points[k].choice));
        series.y.push_back(points[k].quality);
        area.back() += points[k].quality / static_cast<double>(points.size());
      }
      figure.series.push_back(std::move(series));
    }
    add(rows);
    add(figure);
    table means{{"order", "mean accuracy over k"}, {}};
    for (std::size_t o = 0; o < orders_.size(); ++o) means.rows.push_back({orders_[o].name, percent(area[o])});
    add(means);
    const auto best_control = std::max_element(area.begin() + 1, area.end());
    const double lead = area.front() - *best_control;
    add(paragraph{std::string("Entropy order ") + (lead > 0 ? "beats" : "does not beat") +
                  " all of its controls on the mean over k: it is " + fixed(std::abs(100 * lead), 1) + " points " +
                  (lead > 0 ? "above" : "below") + " the best of them, " +
                  orders_[static_cast<std::size_t>(best_control - area.begin())].name + "."});
  }

  void compare_rivals() {
    const luq::prefix_policy policy = policy_of(orders_.front());
    plan_ = luq::plan_within_bytes(policy, bytes_after_saving(policy, options_.saving));
    low_layers_ = std::count(plan_.recipes.begin(), plan_.recipes.end(), low_.how);
    const luq::plan uniform_high = luq::uniform_plan(shape_, high_.how);
    add(heading{"The plan that saves " + percent(options_.saving) + " of a uniform " + luq::recipe_name(high_.how) +
                " decoder"});
    add(paragraph{std::to_string(low_layers_) + " of " + std::to_string(shape_.size()) +
                  " layers low: " + std::to_string(luq::total_bytes(plan_)) + " bytes instead of " +
                  std::to_string(luq::total_bytes(uniform_high)) + ", " + percent(luq::saving(plan_, uniform_high)) +
                  " less."});
    add(plan_table(plan_));
    chart figure{"Bytes by layer", "layer", "bytes", chart_kind::bar, {}, true};
    figure.series.push_back(bytes_series("the plan", plan_));
    figure.series.push_back(bytes_series("uniform " + luq::recipe_name(high_.how), uniform_high));
    add(figure);

    add(heading{"The plan and its rivals"});
    rivals_ = {{"decoder", "true bits", "nominal bits", "bytes", "accuracy"}, {}};
    rivals_.rows.push_back({"float (as stored, 16 bits)", "16.000", "16.00",
                            std::to_string(2 * luq::weights_of(shape_)), percent(float_accuracy_)});
    for (const auto& order : orders_) {
      const luq::plan choice = luq::prefix_plan(policy_of(order), low_layers_);
      add_rival(choice.reason, choice, (*evaluator_)(choice).overall());
    }
    add_uniform_rival(high_);
    for (const char* codec : {"int3:g128:searched", "int2:g128:searched", "trellis2:g0"}) {
      add_uniform_rival(quantize(statistics_, codec));
    }
    add_uniform_rival(low_);
    add_uniform_rival(quantize(statistics_, "billm:g128/billm"));
    add(rivals_);
  }

  [[nodiscard]] static chart_series bytes_series(const std::string& name, const luq::plan& choice) {
    chart_series series{name, {}, {}};
    for (std::size_t layer = 0; layer < choice.shape.size(); ++layer) {
      series.x.push_back(static_cast<double>(layer));
      series.y.push_back(static_cast<double>(luq::layer_bytes(choice, layer)));
    }
    return series;
  }

  void add_rival(const std::string& name, const luq::plan& choice, double accuracy) {
    rivals_.rows.push_back({name, fixed(luq::average_bits(choice), 3), fixed(luq::average_nominal_bits(choice), 2),
                            std::to_string(luq::total_bytes(choice)), percent(accuracy)});
  }

  void add_uniform_rival(const quantized_decoder& decoder) {
    add_rival("uniform " + luq::recipe_name(decoder.how), luq::uniform_plan(shape_, decoder.how),
              uniform_accuracy(decoder));
  }

  void compare_low_candidates() {
    add(heading{"Candidates for the ultra-low recipe at the same budget"});
    table rows{{"codec", "true bits", "mean output error", "low layers", "bytes", "accuracy"}, {}};
    for (const std::string& name : low_candidates) {
      const quantized_decoder candidate = name == settings_.low ? low_ : quantize(statistics_, name);
      luq::prefix_policy policy = policy_of(orders_.front());
      policy.low = candidate.how;
      const luq::plan choice = luq::plan_within_bytes(policy, bytes_after_saving(policy, options_.saving));
      const double result =
          exam_->take(planned_model(model_, choice, {&candidate, &high_}, weight_form::decoded)).overall();
      rows.rows.push_back({name, fixed(luq::average_bits(luq::uniform_plan(shape_, candidate.how)), 3),
                           fixed(candidate.mean_output_error(), 4),
                           std::to_string(std::count(choice.recipes.begin(), choice.recipes.end(), candidate.how)),
                           std::to_string(luq::total_bytes(choice)), percent(result)});
    }
    add(rows);
  }

  void measure_frontier_of_codecs() {
    add(heading{"The frontier: error and accuracy against true bits"});
    const auto halves = split_sequences(mix_sequences(calibration_, settings_.alpha, tokens_));
    const auto calibrated = [&](const std::vector<calibration_sequence>& sequences) {
      return calibrate(model_, calibration_, sequences, settings_.calibrating(), settings_.executor, progress_);
    };
    add(paragraph{"Every layer under one codec and search. Codes are chosen under the Hessians of " +
                  std::to_string(halves.first.size()) + " sequences and judged under those of " +
                  std::to_string(halves.second.size()) +
                  " others as well. Errors are means over all decoder linears; the first line is BiLLM as published, "
                  "and shares are of linears, by held-out error."});
    const auto points = measure_frontier(model_, calibrated(halves.first), calibrated(halves.second), *exam_,
                                         frontier_recipes(), settings_.executor, progress_);
    add(frontier_table(points));
    add(frontier_chart(points));
  }

  void sweep_mixing_ratio() {
    add(heading{"Mixing ratio: the share of calibration tokens from multimodal sequences"});
    add(paragraph{"Entropies, order and Hessians anew for each ratio; " + std::to_string(low_layers_) +
                  " layers low, lowest entropy first."});
    table rows{{"mixing ratio", "accuracy", "low layers"}, {}};
    chart figure{
        "Accuracy against mixing ratio", "share of multimodal tokens", "accuracy", chart_kind::line, {}, false};
    chart_series series{"lowest entropy first", {}, {}, {}, {}, true};
    std::string left_out;
    for (const double alpha : {0.0, 0.25, 0.5, 0.75, 1.0}) {
      if (alpha != settings_.alpha && !(tokens_ > 0 && totals_.allow(alpha, tokens_))) {
        left_out += (left_out.empty() ? "" : ", ") + fixed(alpha, 2);
        continue;
      }
      quantized_decoder low = low_;
      quantized_decoder high = high_;
      named_order order = orders_.front();
      if (alpha != settings_.alpha) {
        const calibration statistics = calibrate_at(alpha);
        low = quantize(statistics, settings_.low);
        high = quantize(statistics, settings_.high);
        order = order_by_name("lowest", entropy_scores(estimate_entropies(statistics, settings_.executor, progress_)));
      }
      const luq::plan choice = luq::prefix_plan(policy_of(order), low_layers_);
      const double result = exam_->take(planned_model(model_, choice, {&low, &high}, weight_form::decoded)).overall();
      std::string layers;
      for (std::size_t layer = 0; layer < choice.recipes.size(); ++layer) {
        if (choice.recipes[layer] == low.how) layers += (layers.empty() ? "" : " ") + std::to_string(layer);
      }
      rows.rows.push_back({fixed(alpha, 2), percent(result), layers});
      series.x.push_back(alpha);
      series.y.push_back(result);
    }
    figure.series.push_back(series);
    add(rows);
    add(figure);
    if (!left_out.empty()) add(paragraph{"Left out, for want of sequences of a kind: " + left_out + "."});
  }

  void write_and_reload() {
    const std::filesystem::path path = options_.output / packed_file;
    const luq::packed_model_size predicted = write_planned_model(path, settings_.model, plan_, {&low_, &high_});
    const luq::packed_model file(path);
    vision_language_model packed = with_packed_decoder(model_, file);
    const double reloaded = exam_->take(packed, progress_).overall();
    packed.set_compute({.activations = luq::activation_mode::int8});
    const double rounded = exam_->take(packed, progress_).overall();
    const double computed = (*evaluator_)(plan_).overall();
    add(heading{"The packed file, written and read back"});
    table rows{{"", "as computed", "in the file"}, {}};
    const auto row = [&](const char* name, auto expected, auto found) {
      rows.rows.push_back({name, std::to_string(expected), std::to_string(found)});
    };
    row("bytes of decoder linears", predicted.linears, file.size().linears);
    row("bytes of all other tensors", predicted.others, file.size().others);
    row("bytes of the file's header", predicted.header, file.size().header);
    row("bytes of the file", predicted.file(), std::filesystem::file_size(path));
    rows.rows.push_back({"accuracy (packed kernels, float activations)", percent(computed), percent(reloaded)});
    rows.rows.push_back({"accuracy (packed kernels, int8 activations)", "", percent(rounded)});
    add(rows);
    if (predicted.file() != std::filesystem::file_size(path)) {
      luq::fail(luq::errc::corrupt_file, path.string(), ": expected ", predicted.file(), " bytes, got ",
                std::filesystem::file_size(path));
    }
  }

  const settings& settings_;
  const demo_options& options_;
  luq::progress_observer* progress_;
  vision_language_model model_;
  calibration_set calibration_;
  question_set questions_;
  std::optional<examination> exam_;
  luq::model_shape shape_;
  token_totals totals_;
  luq::index tokens_;  // of all mixes, so that they can be compared; 0 for all of the one kind that there is
  document report_;

  double float_accuracy_ = 0;
  calibration statistics_;
  std::vector<luq::layer_entropy> entropies_;
  std::vector<double> scores_;
  std::vector<named_order> orders_;
  quantized_decoder low_;
  quantized_decoder high_;
  std::optional<plan_evaluator> evaluator_;
  luq::plan plan_;
  luq::index low_layers_ = 0;
  table rivals_;
};

}  // namespace

void run_demo(const settings& s, const demo_options& options, luq::progress_observer* progress) {
  require_outputs(s, options);
  demo_run(s, options, progress).run();
}

}  // namespace vlm
