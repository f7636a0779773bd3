// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// luq-vlm: LUQ on a LLaVA-1.5 or Qwen2.5-VL checkpoint, step by step. Every command defaults to the embedded model and
// its data.
#include <CLI/CLI.hpp>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <limits>
#include <luq/core/error.hpp>
#include <luq/core/version.hpp>

#include "app/commands.hpp"
#include "app/console_progress.hpp"

namespace {

constexpr int data_error = 1;

/// A whole number in a range. CLI11's own validators print the largest double where there is no upper end.
CLI::Validator whole_number(int smallest, int largest = std::numeric_limits<int>::max()) {
  const std::string range = ">= " + std::to_string(smallest) +
                            (largest < std::numeric_limits<int>::max() ? " and <= " + std::to_string(largest) : "");
  const auto check = [=](const std::string& text) {
    int value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, value);
    const bool fits = failure == std::errc() && stop == end && value >= smallest && value <= largest;
    return fits ? std::string() : "expected a whole number " + range + ", got " + text;
  };
  return {check, range};
}

/// An optional path, which no text at all would silently be none of.
CLI::Option* add_path_option(CLI::App& command, const char* name, std::filesystem::path& path, const char* meaning) {
  const auto check = [](const std::string& text) { return text.empty() ? "expected a path, got nothing" : ""; };
  return command.add_option(name, path, meaning)->check(CLI::Validator(check, ""));
}

/// A file too large for the limit of the shell is an error of its write() like a full disk, and no signal.
void ignore_file_size_signal() {
#ifdef SIGXFSZ
  std::signal(SIGXFSZ, SIG_IGN);
#endif
}

/// Results on a full disk would be lost in silence.
void require_printed() {
  std::cout.flush();
  if (!std::cout) luq::fail(luq::errc::io_failure, "standard output: cannot be written");
}

/// A number that is not negative; infinity is one.
CLI::Validator non_negative_number() {
  const auto check = [](const std::string& text) {
    double value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, value);
    const bool fits = failure == std::errc() && stop == end && value >= 0;
    return fits ? std::string() : "expected a number >= 0, got " + text;
  };
  return {check, ">= 0"};
}

/// One line for every error of the command line. CLI11 misses the command before it sees what was given instead.
std::string command_line_error(const CLI::App* app, const CLI::Error& error) {
  std::string message = error.what();
  const std::vector<std::string> unknown = app->remaining();
  if (app->get_subcommands().empty() && !unknown.empty()) {
    message = "unknown command or option \"" + unknown.front() + "\": see luq-vlm --help";
  }
  return "luq-vlm: " + message + "\n";
}

void add_common_options(CLI::App& command, vlm::settings& s) {
  command.add_option("--model", s.model, "Hugging Face directory of a LLaVA-1.5 or Qwen2.5-VL model")
      ->capture_default_str();
  command.add_option("--threads", s.executor.threads, "threads; 0 for all cores")->check(whole_number(0, 1024));
  command.add_flag("--quiet", s.quiet, "no progress");
}

void add_calibration_options(CLI::App& command, vlm::settings& s) {
  command.add_option("--calibration", s.calibration, "calibration sequences (safetensors)")->capture_default_str();
  command.add_option("--alpha", s.alpha, "share of calibration tokens in multimodal sequences")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command
      .add_option("--tokens", s.tokens,
                  "calibration tokens; 0 for all that every mixing ratio allows, of a ratio of 0 or 1 all of its kind")
      ->check(whole_number(0));
  command
      .add_option(
          "--norm-clip", s.norm_clip,
          "tokens count in Hessians with at most this multiple of the median norm of their sequence; 0: as they are")
      ->check(non_negative_number())
      ->capture_default_str();
  command.add_option("--clusters", s.clusters, "clusters of the k-means")
      ->check(whole_number(1))
      ->capture_default_str();
  command.add_option("--seeds", s.seeds, "clusterings averaged")->check(whole_number(1))->capture_default_str();
}

void add_recipe_options(CLI::App& command, vlm::settings& s) {
  command
      .add_option("--low", s.low,
                  "recipe of the layers moved first, such as sign:g128 or hadamard/sign:g128/gptq+refine")
      ->capture_default_str();
  command.add_option("--high", s.high, "recipe of the others, such as int4:g128:searched")->capture_default_str();
}

void add_activations_option(CLI::App& command, luq::activation_mode& activations) {
  const auto choose = [&activations](const std::string& name) {
    activations = name == vlm::activations_name(luq::activation_mode::int8) ? luq::activation_mode::int8
                                                                            : luq::activation_mode::float32;
  };
  command.add_option_function<std::string>("--activations", choose, "activations that packed linears multiply")
      ->check(CLI::IsMember({"float32", "int8"}))
      ->default_str(vlm::activations_name(activations));
}

void add_device_option(CLI::App& command, bool& on_device) {
  const auto choose = [&on_device](const std::string& name) { on_device = name == "cuda"; };
  command.add_option_function<std::string>("--device", choose, "where packed linears are multiplied")
      ->check(CLI::IsMember({"cpu", "cuda"}))
      ->default_str("cpu");
}

void add_test_option(CLI::App& command, vlm::settings& s) {
  command.add_option("--test", s.test, "test questions (safetensors)")->capture_default_str();
}

std::string joined(int argc, char** argv) {
  std::string text = "luq-vlm";
  for (int i = 1; i < argc; ++i) {
    // The folder of the results says nothing about how they came about.
    if (std::string(argv[i]) == "--output") {
      ++i;
      continue;
    }
    text += std::string(" ") + argv[i];
  }
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  vlm::settings s;
  s.model = VLM_DATA "/tiny-llava";
  s.calibration = VLM_DATA "/calibration.safetensors";
  s.test = VLM_DATA "/test.safetensors";
  vlm::quantize_options quantization;
  vlm::scan_options scanning;
  vlm::bench_options timing;
  vlm::demo_options demonstration;
  vlm::evaluate_options evaluation;
  vlm::ledger_options accounting;
  vlm::export_options exporting;
  std::filesystem::path inspected = s.model;

  CLI::App app("Layerwise ultra-low-bit quantization of LLaVA-1.5 and Qwen2.5-VL models");
  app.set_version_flag("--version", std::to_string(LUQ_VERSION_MAJOR) + "." + std::to_string(LUQ_VERSION_MINOR) + "." +
                                        std::to_string(LUQ_VERSION_PATCH));
  app.require_subcommand(1);
  app.failure_message(command_line_error);

  CLI::App* entropy = app.add_subcommand("entropy", "entropy of every decoder layer for all, text and image tokens");
  add_common_options(*entropy, s);
  add_calibration_options(*entropy, s);

  CLI::App* quantize = app.add_subcommand("quantize", "choose a plan, quantize, and write a packed file");
  add_common_options(*quantize, s);
  add_calibration_options(*quantize, s);
  add_recipe_options(*quantize, s);
  quantize->add_option("--order", quantization.order, "lowest, highest, depth, random or random:SEED")
      ->capture_default_str();
  CLI::Option* layers = quantize->add_option("--low-layers", quantization.low_layers, "this many layers low");
  CLI::Option* bits =
      quantize->add_option("--bits", quantization.bits, "at most this many true bits a weight on average");
  CLI::Option* bytes =
      quantize->add_option("--bytes", quantization.bytes, "at most this many bytes of decoder linears");
  CLI::Option* saving =
      quantize->add_option("--saving", quantization.saving, "save this share of a uniform high decoder")
          ->check(CLI::Range(0.0, 1.0));
  layers->excludes(bits)->excludes(bytes)->excludes(saving);
  bits->excludes(bytes)->excludes(saving);
  bytes->excludes(saving);
  add_path_option(*quantize, "--output", quantization.output, "the packed file")->capture_default_str();
  add_path_option(*quantize, "--plan", quantization.plan_file, "write the plan as JSON, too");
  quantize->add_flag("--dry-run", quantization.dry_run,
                     "print the ledger of the plan that would be made and how long it would take; write nothing");

  CLI::App* evaluate = app.add_subcommand("evaluate", "accuracy on test questions, by kind");
  add_common_options(*evaluate, s);
  add_test_option(*evaluate, s);
  add_path_option(*evaluate, "--packed", evaluation.packed, "take the decoder from this packed file");
  add_activations_option(*evaluate, evaluation.activations);
  add_device_option(*evaluate, evaluation.on_device);

  CLI::App* scan = app.add_subcommand("scan", "accuracy against true bits for every prefix of an order");
  add_common_options(*scan, s);
  add_calibration_options(*scan, s);
  add_recipe_options(*scan, s);
  add_test_option(*scan, s);
  scan->add_option("--random-orders", scanning.random_orders, "random controls")
      ->check(whole_number(0))
      ->capture_default_str();

  CLI::App* frontier = app.add_subcommand("frontier", "output error and accuracy against true bits for many recipes");
  add_common_options(*frontier, s);
  add_calibration_options(*frontier, s);
  add_test_option(*frontier, s);

  CLI::App* bench = app.add_subcommand("bench", "tokens a second, beside the limit that bandwidth sets");
  add_common_options(*bench, s);
  add_activations_option(*bench, timing.activations);
  CLI::Option* timed_file =
      add_path_option(*bench, "--packed", timing.packed, "time this packed file and the float model");
  CLI::Option* synthetic =
      bench->add_option("--synthetic", timing.synthetic,
                        "time random weights in the shape of llava-1.5-7b, qwen2.5-vl-7b, or of a model directory");
  timed_file->excludes(synthetic);
  CLI::Option* plan = add_path_option(*bench, "--plan", timing.plan_file, "plan of the synthetic decoder (JSON)");
  CLI::Option* low =
      bench->add_option("--low", timing.low, "recipes of the low layers, a plan for each")->capture_default_str();
  CLI::Option* high = bench->add_option("--high", timing.high, "recipe of the other layers")->capture_default_str();
  CLI::Option* low_layers =
      bench->add_option("--low-layers", timing.low_layers, "this many layers low; else as in LUQ's published plan");
  for (CLI::Option* option : {low, high, low_layers}) plan->excludes(option);
  bench->add_option("--head", timing.head, "codec of the head, in all plans")->capture_default_str();
  bench->add_option("--layers", timing.layers, "only the first layers of the architecture")->check(whole_number(1));
  bench->add_option("--memory", timing.memory, "most GiB for weights and cache of the synthetic decoders")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  bench->add_option("--context", timing.timing.context, "positions before a token that is decoded")
      ->check(whole_number(0, 1 << 20))
      ->capture_default_str();
  bench->add_option("--prompt", timing.timing.prompt, "tokens of a prefill; 0 for none")
      ->check(whole_number(0, 1 << 20))
      ->capture_default_str();
  bench->add_option("--decoded", timing.timing.tokens, "tokens decoded in a repetition")
      ->check(whole_number(1, 1 << 20))
      ->capture_default_str();
  bench->add_option("--repetitions", timing.timing.repetitions, "repetitions")
      ->check(whole_number(1, 1 << 20))
      ->capture_default_str();
  bench->callback([&] {
    if (timed_file->empty() && synthetic->empty()) throw CLI::RequiredError("--synthetic or --packed");
  });

  CLI::App* inspect = app.add_subcommand("inspect", "what is in a packed file or a model directory");
  inspect->add_option("--model,path", inspected, "packed file or model directory")->capture_default_str();

  CLI::App* ledger = app.add_subcommand("ledger", "every byte of a model under plans, computed from shapes alone");
  ledger->add_option("--shapes", accounting.shapes, "llava-1.5-7b, qwen2.5-vl-7b, or a model directory")->required();
  CLI::Option* counted_plan = add_path_option(*ledger, "--plan", accounting.plan_file, "plan of the decoder (JSON)");
  CLI::Option* counted_low =
      ledger
          ->add_option("--low", accounting.low, "how low layers are stored, a plan for each: recipes, or types of ggml")
          ->capture_default_str();
  CLI::Option* counted_high =
      ledger->add_option("--high", accounting.high, "how the other layers are stored")->capture_default_str();
  CLI::Option* counted_layers = ledger->add_option("--low-layers", accounting.low_layers,
                                                   "this many layers low; else as in LUQ's published plan");
  for (CLI::Option* option : {counted_low, counted_high, counted_layers}) counted_plan->excludes(option);
  ledger->add_option("--rival", accounting.rival, "how all layers of the model to compare with are stored")
      ->capture_default_str();
  ledger->add_option("--saving", accounting.saving, "share of the rival's decoder to save; else what LUQ claims")
      ->check(CLI::Range(0.0, 1.0));
  ledger->add_option("--norms", accounting.norms, "type of the decoder's norms and biases; else as they are");
  ledger->add_option("--embedding", accounting.embedding, "how the embedding is stored; else as it is");
  ledger->add_option("--head", accounting.head, "how the head is stored; else as it is");
  ledger->add_option("--projector", accounting.projector, "how the projector is stored; else as it is");
  ledger->add_option("--vision", accounting.vision, "how the vision tower is stored; else as it is");
  ledger->add_flag("--json", accounting.json, "print JSON");

  CLI::App* exported = app.add_subcommand("export", "a plan or a packed decoder in the format of other programs");
  add_common_options(*exported, s);
  add_calibration_options(*exported, s);
  exported->add_option("--to", exporting.target, "what to write")
      ->required()
      ->check(CLI::IsMember(std::vector<std::string>(vlm::export_targets.begin(), vlm::export_targets.end())));
  add_path_option(*exported, "--output", exporting.output, "where to: a file, of gptq a new directory")->required();
  add_path_option(*exported, "--plan", exporting.plan_file, "plan (JSON), of tensor-type-file and custom-q");
  exported->add_option("--type", exporting.types,
                       "CODEC=TYPE: a type of ggml for a codec of the plan, of tensor-type-file and custom-q");
  add_path_option(*exported, "--packed", exporting.packed, "packed file, of gguf and gptq");
  add_path_option(*exported, "--like", exporting.like,
                  "GGUF file of the same model, made by llama.cpp's converter, whose tokenizer and other tensors gguf "
                  "takes");

  CLI::App* demo = app.add_subcommand("demo", "all of it, with a report");
  add_common_options(*demo, s);
  add_calibration_options(*demo, s);
  add_recipe_options(*demo, s);
  add_test_option(*demo, s);
  add_path_option(*demo, "--output", demonstration.output, "folder for report.html, results.md and packed.safetensors")
      ->capture_default_str();
  demo->add_option("--saving", demonstration.saving, "share of a uniform high decoder to save")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  demo->add_option("--random-orders", demonstration.random_orders, "random controls")
      ->check(whole_number(0))
      ->capture_default_str();

  ignore_file_size_signal();
  CLI11_PARSE(app, argc, argv);
  try {
    if (s.tokens > 0 && s.tokens < s.clusters) {
      luq::fail(luq::errc::insufficient_data, "--tokens: expected at least ", s.clusters,
                ", one for each of the --clusters, got ", s.tokens);
    }
    vlm::console_progress console;
    luq::progress_observer* progress = s.quiet ? nullptr : &console;
    demonstration.command = joined(argc, argv);
    if (entropy->parsed()) vlm::run_entropy(s, progress);
    if (quantize->parsed()) vlm::run_quantize(s, quantization, progress);
    if (evaluate->parsed()) vlm::run_evaluate(s, evaluation, progress);
    if (scan->parsed()) vlm::run_scan(s, scanning, progress);
    if (frontier->parsed()) vlm::run_frontier(s, progress);
    if (bench->parsed()) vlm::run_bench(s, timing, progress);
    if (inspect->parsed()) vlm::run_inspect(inspected);
    if (ledger->parsed()) vlm::run_ledger(accounting);
    if (exported->parsed()) vlm::run_export(s, exporting, progress);
    if (demo->parsed()) vlm::run_demo(s, demonstration, progress);
    require_printed();
  } catch (const std::exception& error) {
    std::cout << std::flush;
    std::fprintf(stderr, "luq-vlm: %s\n", error.what());
    return data_error;
  }
  return 0;
}
