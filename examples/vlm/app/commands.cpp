// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "commands.hpp"

#include <iostream>
#include <luq/core/error.hpp>
#include <luq/io/files/output_check.hpp>
#include <luq/io/files/text_file.hpp>
#include <luq/io/luq/plan_json.hpp>
#include <luq/kernels/cuda/any_device_matrix.hpp>

#include "frontier.hpp"
#include "model_files.hpp"
#include "pipeline.hpp"
#include "quantize_duration.hpp"

namespace vlm {

namespace {

void print(const table& rows) {
  std::cout << render_markdown({"", {rows}}).substr(3);
}

calibration calibrate_model(const settings& s, const vision_language_model& model, luq::progress_observer* progress) {
  const calibration_set set = read_calibration_set(s.calibration);
  return calibrate(model, set, mix_sequences(set, s.alpha, s.tokens), s.calibrating(), s.executor, progress);
}

luq::plan choose_plan(const luq::prefix_policy& policy, const quantize_options& options) {
  if (options.low_layers) return luq::prefix_plan(policy, *options.low_layers);
  if (options.bits) return luq::plan_within_bits(policy, *options.bits);
  if (options.bytes) return luq::plan_within_bytes(policy, *options.bytes);
  return luq::plan_within_bytes(policy, bytes_after_saving(policy, options.saving.value_or(0.4)));
}

/// Outputs that cannot be written are errors before the model is loaded.
void require_outputs(const settings& s, const quantize_options& options) {
  std::vector<std::filesystem::path> outputs{options.output};
  if (!options.plan_file.empty()) outputs.push_back(options.plan_file);
  std::vector<std::filesystem::path> inputs = model_files(s.model);
  inputs.push_back(s.calibration);
  luq::require_outputs(outputs, inputs);
}

/// The policy that is known before any entropy is: of equal scores, so that an order by entropy is one by depth.
luq::prefix_policy policy_without_entropies(const settings& s, const quantize_options& options,
                                            const text_config& text) {
  const named_order order =
      order_by_name(options.order, std::vector<double>(static_cast<std::size_t>(text.layers), 0.0));
  return {decoder_shape(text), order.order, read_recipe(s.low), read_recipe(s.high), order.name};
}

void print_size(const std::filesystem::path& file, const luq::packed_model_size& size) {
  std::cout << "\n"
            << file.string() << ": " << size.file() << " bytes, of which decoder linears " << size.linears
            << ", other tensors " << size.others << ", header " << size.header << "\n";
}

/// The size of the file with a plan's decoder and all other tensors of a checkpoint as they are.
luq::packed_model_size planned_size(const luq::plan& choice, const luq::checkpoint& stored,
                                    const luq::checkpoint_shape& shape) {
  std::vector<luq::tensor_source> others;
  for (const luq::checkpoint_tensor& tensor : shape) {
    if (tensor.place.part == luq::model_part::decoder_linear) continue;
    others.push_back({{tensor.name, stored.info(tensor.name).dtype, tensor.shape}, stored.bytes(tensor.name)});
  }
  return luq::predict_packed_model_size(choice, others);
}

/// All layers have one shape: which of them are low changes no byte, and is the one thing that is not known here.
void print_dry_run(const settings& s, const quantize_options& options) {
  const luq::checkpoint stored(s.model);
  const luq::checkpoint_shape shape = shape_of(stored);
  const model_config config = read_model_config(s.model);
  const luq::plan choice = choose_plan(policy_without_entropies(s, options, config.text), options);
  const calibration_set set = read_calibration_set(s.calibration);
  const std::vector<calibration_sequence> sequences = mix_sequences(set, s.alpha, s.tokens);

  std::cout << choice.reason << " (dry run)\n";
  print(ledger_table(luq::make_ledger(shape, luq::layer_storage(choice, shape))));
  print_size(options.output, planned_size(choice, stored, shape));
  const bool by_entropy = options.order == "lowest" || options.order == "highest";
  if (by_entropy) {
    std::cout << "\nWhich layers are low is known after calibration; bytes are the same for any, since all layers have "
                 "one shape.\n";
  }
  const double rate = product_rate(s.executor);
  std::vector<search_speed> searches;
  for (const std::string& how : {s.low, s.high}) {
    searches.push_back(measure_search(read_recipe(how), rate, s.executor));
  }
  std::cout << "\nAt " << fixed(rate / 1e9, 1)
            << " * 10^9 operations a second and the speed of small searches, measured on " << s.executor.concurrency()
            << " threads:\n";
  print(duration_table(count_quantize_work(config, set.images, sequences, s.entropy()), rate, searches, config.text));
}

}  // namespace

void run_entropy(const settings& s, luq::progress_observer* progress) {
  const vision_language_model model(s.model);
  const calibration statistics = calibrate_model(s, model, progress);
  print(entropy_table(estimate_entropies(statistics, s.executor, progress)));
}

void run_quantize(const settings& s, const quantize_options& options, luq::progress_observer* progress) {
  if (options.dry_run) {
    print_dry_run(s, options);
    return;
  }
  require_outputs(s, options);
  const vision_language_model model(s.model);
  // An unknown order and an impossible budget are errors before the work, not after it.
  luq::prefix_policy policy = policy_without_entropies(s, options, model.config().text);
  (void)choose_plan(policy, options);

  const calibration statistics = calibrate_model(s, model, progress);
  const named_order order =
      order_by_name(options.order, entropy_scores(estimate_entropies(statistics, s.executor, progress)));
  policy.order = order.order;
  policy.order_name = order.name;
  const luq::plan choice = choose_plan(policy, options);
  const quantized_decoder low = quantize_decoder(model, statistics, policy.low, s.executor, progress);
  const quantized_decoder high = quantize_decoder(model, statistics, policy.high, s.executor, progress);

  print(plan_table(choice));
  print_size(options.output, write_planned_model(options.output, s.model, choice, {&low, &high}));
  if (const table dead = dead_input_table(high); !dead.rows.empty()) {
    std::cout << "\nInputs that were zero for every token of calibration, whose weights are now zero:\n\n";
    print(dead);
  }
  if (!options.plan_file.empty()) luq::write_text_file(options.plan_file, luq::plan_to_json(choice) + "\n");
}

void run_evaluate(const settings& s, const evaluate_options& options, luq::progress_observer* progress) {
  if (options.on_device && options.packed.empty()) {
    luq::fail(luq::errc::invalid_argument,
              "--device cuda: expected a --packed file, whose linears are multiplied there");
  }
  if (options.on_device) luq::cuda::open_device();  // that there is none is an error before the work
  const vision_language_model model(s.model);
  const question_set questions = read_question_set(s.test);
  std::optional<luq::packed_model> file;
  if (!options.packed.empty()) file.emplace(options.packed);
  vision_language_model asked = file ? with_packed_decoder(model, *file) : model;
  asked.set_compute({.activations = options.activations});
  const luq::index on_device = options.on_device ? asked.move_decoder_to_device() : 0;
  const examination exam(model, questions, s.executor, progress);
  print(accuracy_table(questions, exam.take(asked, progress)));
  if (file) {
    std::cout << "\n"
              << file->planned().reason << ": " << fixed(luq::average_bits(file->planned()), 3)
              << " true bits a weight, " << activations_name(options.activations) << " activations\n";
  }
  if (options.on_device) {
    std::cout << on_device << " of " << asked.config().text.layers * static_cast<luq::index>(decoder_linears.size())
              << " decoder linears on the GPU\n";
  }
  std::cout << "\nalways the most frequent answer of each kind: " << percent(majority_accuracy(questions)) << "\n";
}

void run_scan(const settings& s, const scan_options& options, luq::progress_observer* progress) {
  const vision_language_model model(s.model);
  const question_set questions = read_question_set(s.test);
  const luq::recipe low_recipe = read_recipe(s.low);
  const luq::recipe high_recipe = read_recipe(s.high);
  const calibration statistics = calibrate_model(s, model, progress);
  const auto scores = entropy_scores(estimate_entropies(statistics, s.executor, progress));
  const quantized_decoder low = quantize_decoder(model, statistics, low_recipe, s.executor, progress);
  const quantized_decoder high = quantize_decoder(model, statistics, high_recipe, s.executor, progress);
  const examination exam(model, questions, s.executor, progress);
  plan_evaluator evaluator(model, exam, low, high);

  table rows{{"order", "low layers", "true bits", "nominal bits", "accuracy"}, {}};
  for (const named_order& order : orders_to_compare(scores, options.random_orders)) {
    const luq::prefix_policy policy{decoder_shape(model), order.order, low_recipe, high_recipe, order.name};
    const auto points =
        luq::scan_prefixes(policy, [&](const luq::plan& choice) { return evaluator(choice).overall(); }, progress);
    for (const luq::scan_point& point : points) {
      rows.rows.push_back({order.name, std::to_string(point.low_layers), fixed(luq::average_bits(point.choice), 3),
                           fixed(luq::average_nominal_bits(point.choice), 2), percent(point.quality)});
    }
  }
  print(rows);
}

void run_frontier(const settings& s, luq::progress_observer* progress) {
  const vision_language_model model(s.model);
  const question_set questions = read_question_set(s.test);
  const examination exam(model, questions, s.executor, progress);
  const calibration_set set = read_calibration_set(s.calibration);
  const auto [seen, held_out] = split_sequences(mix_sequences(set, s.alpha, s.tokens));
  print(frontier_table(measure_frontier(model, calibrate(model, set, seen, s.calibrating(), s.executor, progress),
                                        calibrate(model, set, held_out, s.calibrating(), s.executor, progress), exam,
                                        frontier_recipes(), s.executor, progress)));
}

void run_bench(const settings& s, const bench_options& options, luq::progress_observer* progress) {
  bench_subjects subjects = options.packed.empty() ? synthetic_subjects(options) : packed_subjects(s.model, options);
  for (contender& c : subjects.contenders) c.model.set_compute({options.activations, s.executor});
  const benchmark_options& timing = options.timing;
  std::cout << subjects.introduction << "\n\nPacked linears take " << activations_name(options.activations)
            << " activations; " << s.executor.concurrency() << " threads. A token is decoded after " << timing.context
            << " ... " << timing.context + timing.tokens - 1 << " others, whose keys and values, in float, are "
            << cache_bytes(subjects.shape, timing.context) << " bytes that it reads beside the weights. Medians of "
            << timing.repetitions
            << " repetitions, each decoder in turn. The limit is what reading the bytes of the weights alone takes, "
               "measured in the same repetition.\n";
  const std::vector<decoder_timing> timings = time_decoders(subjects.contenders, timing, s.executor, progress);
  print(decode_table(timings, decode_part::layers_and_head));
  print(decode_table(timings, decode_part::layers));
  if (timing.prompt > 0) print(prefill_table(timings, timing.prompt));
}

void run_ledger(const ledger_options& options) {
  const ledger_comparison comparison = make_ledgers(options);
  if (options.json) {
    std::cout << ledger_json(comparison) << "\n";
    return;
  }
  const luq::checkpoint_shape& shape = comparison.subject.shape;
  std::cout << comparison.subject.name << ": " << shape.size() << " tensors, " << luq::parameters_of(shape)
            << " parameters\n";
  if (comparison.plans.size() == 1) {
    std::cout << "\n" << comparison.plans[0].plan << "\n";
    print(ledger_table(comparison.plans[0].bytes));
  }
  print(comparison_table(comparison));
}

void run_inspect(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) {
    const vision_language_model model(path);
    const luq::model_shape shape = decoder_shape(model);
    table rows{{"linear", "rows", "columns", "weights"}, {}};
    for (const auto& layer : shape) {
      for (const auto& linear : layer) {
        rows.rows.push_back(
            {linear.name, std::to_string(linear.rows), std::to_string(linear.cols), std::to_string(linear.weights())});
      }
    }
    rows.rows.push_back({"all decoder linears", "", "", std::to_string(luq::weights_of(shape))});
    print(rows);
    return;
  }
  const luq::packed_model file(path);
  std::cout << file.planned().reason << "\n\n";
  print(plan_table(file.planned()));
  const luq::packed_model_size size = file.size();
  std::cout << "\nfile " << size.file() << " bytes: decoder linears " << size.linears << ", other tensors "
            << size.others << ", header " << size.header << "\n";
}

}  // namespace vlm
