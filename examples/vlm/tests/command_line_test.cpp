// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The commands of luq-vlm on small data: what they print, and that one command's file is the next one's input.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <luq/core/version.hpp>
#include <luq/io/luq/packed_model.hpp>
#include <luq/io/luq/plan_json.hpp>
#include <regex>
#include <sstream>

#include "app/evaluate.hpp"
#include "app/pipeline.hpp"
#include "app_test_support.hpp"
#include "device_test_support.hpp"
#include "program_run.hpp"

using vlm_test::program_result;
using vlm_test::run_program;
using vlm_test::scratch_directory;

namespace {

/// Runs luq-vlm, which must succeed.
program_result run(const std::vector<std::string>& arguments) {
  program_result result = run_program(arguments);
  CAPTURE(result.err);
  REQUIRE(result.exit_code == 0);
  return result;
}

/// The cells of the first Markdown table in a text, without its header.
std::vector<std::vector<std::string>> table_in(const std::string& text) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line) && (rows.empty() || !line.empty());) {
    if (!line.starts_with("| ")) continue;
    rows.emplace_back();
    for (std::size_t at = 2; at < line.size();) {
      const std::size_t end = line.find(" |", at);
      REQUIRE(end != std::string::npos);
      rows.back().push_back(line.substr(at, end - at));
      at = end + 3;
    }
  }
  REQUIRE(!rows.empty());
  rows.erase(rows.begin());
  return rows;
}

/// Files for the commands, and the options that name them.
struct small_data {
  scratch_directory directory;
  std::string questions = path("questions.safetensors");
  std::string random_model = vlm_test::random_fixture().model.string();
  std::string random_calibration = path("random-calibration.safetensors");
  std::string random_questions = path("random-questions.safetensors");

  small_data() {
    vlm_test::store(vlm_test::questions_on_first_images(vlm_test::tiny_questions(), 6)).write(questions);
    vlm_test::store(vlm_test::random_calibration_set(12)).write(random_calibration);
    vlm_test::store(vlm_test::random_questions(20)).write(random_questions);
  }

  [[nodiscard]] std::string path(const char* name) const { return (directory.path() / name).string(); }
};

const small_data& data() {
  static const small_data result;
  return result;
}

/// What `evaluate` must print about a model.
std::vector<std::vector<std::string>> expected_accuracies(const vlm::vision_language_model& model) {
  const vlm::question_set set = vlm::read_question_set(data().questions);
  return vlm::accuracy_table(set, vlm::examination(vlm_test::tiny_model(), set, {}).take(model)).rows;
}

}  // namespace

TEST_CASE("help and version") {
  const program_result help = run({"--help"});
  for (const char* command : {"entropy", "quantize", "evaluate", "scan", "bench", "inspect", "demo"}) {
    CAPTURE(command);
    CHECK(help.out.find(command) != std::string::npos);
    const program_result own = run({command, "--help"});
    CHECK(own.out.find("--model") != std::string::npos);
    CHECK(own.err.empty());
  }
  std::ostringstream version;
  version << LUQ_VERSION_MAJOR << '.' << LUQ_VERSION_MINOR << '.' << LUQ_VERSION_PATCH << '\n';
  CHECK(run({"--version"}).out == version.str());
}

TEST_CASE("defaults are the embedded model and its data") {
  const std::string help = run({"scan", "--help"}).out;
  for (const char* name : {"tiny-llava", "calibration.safetensors", "test.safetensors"}) {
    const std::string path = (vlm_test::embedded_data() / name).string();
    CAPTURE(path);
    CHECK(help.find(path) != std::string::npos);
    CHECK(std::filesystem::exists(path));
  }
}

TEST_CASE("inspect lists the linears of a model") {
  const auto rows = table_in(run({"inspect"}).out);
  REQUIRE(rows.size() == 12 * 7 + 1);
  CHECK(rows[1] == std::vector<std::string>{"model.layers.0.self_attn.k_proj", "64", "128", "8192"});
  CHECK(rows.back().front() == "all decoder linears");
  CHECK(rows.back().back() == "2359296");
  CHECK(table_in(run({"inspect", data().random_model}).out).size() == 3 * 7 + 1);
  CHECK(table_in(run({"inspect", "--model", data().random_model}).out).size() == 3 * 7 + 1);
}

TEST_CASE("evaluate prints the accuracy of each kind") {
  const program_result result = run({"evaluate", "--test", data().questions});
  CHECK(table_in(result.out) == expected_accuracies(vlm_test::tiny_model()));
  const vlm::question_set set = vlm::read_question_set(data().questions);
  CHECK(result.out.find("always the most frequent answer of each kind: " + vlm::percent(vlm::majority_accuracy(set)) +
                        "\n") != std::string::npos);
}

TEST_CASE("progress is plain lines, one per task, or nothing") {
  const std::string err = run({"evaluate", "--test", data().questions}).err;
  CAPTURE(err);
  CHECK(std::regex_match(err, std::regex("images: [0-9]+\\.[0-9] s\nquestions: [0-9]+\\.[0-9] s\n")));
  CHECK(run({"evaluate", "--test", data().questions, "--quiet"}).err.empty());
}

TEST_CASE("entropy prints a row for each layer") {
  const auto rows = table_in(run({"entropy", "--seeds", "1", "--tokens", "1000", "--clusters", "20"}).out);
  REQUIRE(rows.size() == 12);
  std::vector<std::string> places;
  for (std::size_t layer = 0; layer < rows.size(); ++layer) {
    REQUIRE(rows[layer].size() == 6);
    CHECK(rows[layer][0] == std::to_string(layer));
    CHECK(std::regex_match(rows[layer][1], std::regex("[0-4]\\.[0-9]{3} \\[[0-4]\\.[0-9]{3}, [0-4]\\.[0-9]{3}\\]")));
    CHECK(rows[layer][2] == "0.0000");  // one seed has no deviation
    places.push_back(rows[layer][5]);
  }
  std::ranges::sort(places);
  CHECK(std::ranges::adjacent_find(places) == places.end());
}

TEST_CASE("quantize, inspect and evaluate are of one file") {
  const std::string packed = data().path("packed.safetensors");
  const std::string plan = data().path("plan.json");
  const program_result quantized = run({"quantize", "--low-layers", "2", "--tokens", "500", "--clusters", "20",
                                        "--seeds", "1", "--output", packed, "--plan", plan});
  const luq::packed_model file(packed);
  CHECK(std::ranges::count(file.planned().recipes, luq::parse_codec("trellis1.58:g0")) == 2);
  CHECK(std::ranges::count(file.planned().recipes, luq::parse_codec("int4:g128:searched")) == 10);
  CHECK(table_in(quantized.out) == vlm::plan_table(file.planned()).rows);
  const std::string size = std::to_string(std::filesystem::file_size(packed));
  CHECK(quantized.out.find(packed + ": " + size + " bytes, of which decoder linears " +
                           std::to_string(luq::total_bytes(file.planned()))) != std::string::npos);
  std::ifstream stream(plan, std::ios::binary);
  CHECK(luq::plan_from_json(std::string(std::istreambuf_iterator<char>(stream), {}), plan) == file.planned());

  const program_result inspected = run({"inspect", packed});
  CHECK(inspected.out.starts_with("lowest entropy first, 2 of 12 layers low\n"));
  CHECK(table_in(inspected.out) == vlm::plan_table(file.planned()).rows);
  CHECK(inspected.out.find("file " + size + " bytes") != std::string::npos);

  vlm::vision_language_model reloaded = vlm::with_packed_decoder(vlm_test::tiny_model(), file);
  for (const auto mode : {luq::activation_mode::float32, luq::activation_mode::int8}) {
    std::vector<std::string> arguments{"evaluate", "--packed", packed, "--test", data().questions};
    if (mode == luq::activation_mode::int8) arguments.insert(arguments.end(), {"--activations", "int8"});
    const program_result evaluated = run(arguments);
    reloaded.set_compute({.activations = mode});
    CHECK(table_in(evaluated.out) == expected_accuracies(reloaded));
    CHECK(evaluated.out.find(
              "lowest entropy first, 2 of 12 layers low: " + vlm::fixed(luq::average_bits(file.planned()), 3) +
              " true bits a weight, " + vlm::activations_name(mode) + " activations\n") != std::string::npos);
  }
}

TEST_CASE("sequences of one kind calibrate all commands") {
  for (const bool with_image : {false, true}) {
    const std::string calibration = data().path(with_image ? "images-only.safetensors" : "texts-only.safetensors");
    vlm_test::store_one_kind(vlm_test::random_calibration_set(12), with_image).write(calibration);
    const auto calibrated = [&](const std::string& command, std::vector<std::string> options) {
      options.insert(options.begin(), {command, "--model", data().random_model, "--calibration", calibration, "--quiet",
                                       "--alpha", with_image ? "1" : "0", "--clusters", "8", "--seeds", "1"});
      return run(options).out;
    };
    for (const auto& row : table_in(calibrated("entropy", {}))) {
      CHECK(row[3] != "too few tokens");
      CHECK((row[4] == "too few tokens") == !with_image);
    }
    const std::string packed = data().path("one-kind.safetensors");
    std::vector<std::string> quantize{"--output", packed, "--low-layers", "1"};
    const std::string quantized = calibrated("quantize", quantize);
    CHECK(table_in(quantized) == vlm::plan_table(luq::packed_model(packed).planned()).rows);
    quantize.emplace_back("--dry-run");
    CHECK(calibrated("quantize", quantize).find("forward passes") != std::string::npos);
    CHECK(calibrated("export", {"--to", "imatrix", "--output", data().path("one-kind.gguf")})
              .find(with_image ? " image tokens" : " and 0 image tokens") != std::string::npos);
    const std::string folder = data().path("one-kind");
    const std::string report =
        calibrated("demo", {"--output", folder, "--test", data().random_questions, "--random-orders", "0"});
    CHECK(report.find("Left out, for want of sequences of a kind: " +
                      std::string(with_image ? "0.00, 0.25, 0.50, 0.75" : "0.25, 0.50, 0.75, 1.00")) !=
          std::string::npos);
    std::ifstream stream(folder + "/report.html", std::ios::binary);
    const std::string html(std::istreambuf_iterator<char>(stream), {});
    CHECK((html.find(">image</text>") != std::string::npos) == with_image);
    CHECK(html.find(">text</text>") != std::string::npos);
  }
}

TEST_CASE("evaluate prints the same on a GPU, and what is there") {
  if (!vlm_test::has_device()) return;
  const std::string packed = data().path("device.safetensors");
  (void)run({"quantize", "--low", "trellis1.58:g0", "--high", "int4:g128", "--low-layers", "2", "--tokens", "500",
             "--clusters", "20", "--seeds", "1", "--output", packed});
  const auto evaluate = [&](const char* device) {
    return run({"evaluate", "--packed", packed, "--test", data().questions, "--device", device}).out;
  };
  const std::string on_device = evaluate("cuda");
  CHECK(table_in(on_device) == table_in(evaluate("cpu")));
  CHECK(on_device.find("\n70 of 84 decoder linears on the GPU\n") != std::string::npos);
}

TEST_CASE("budgets of quantize are met by the fewest low layers") {
  const std::string packed = data().path("budget.safetensors");
  const auto low_layers = [&](const std::vector<std::string>& budget) {
    std::vector<std::string> arguments{"quantize",
                                       "--model",
                                       data().random_model,
                                       "--calibration",
                                       data().random_calibration,
                                       "--clusters",
                                       "6",
                                       "--low",
                                       "sign:g128",
                                       "--output",
                                       packed,
                                       "--quiet"};
    arguments.insert(arguments.end(), budget.begin(), budget.end());
    (void)run(arguments);
    return std::ranges::count(luq::packed_model(packed).planned().recipes, luq::parse_codec("sign:g128"));
  };
  const luq::model_shape shape = vlm::decoder_shape(vlm_test::random_model());
  const luq::prefix_policy policy{
      shape, {0, 1, 2}, luq::parse_codec("sign:g128"), luq::parse_codec("int4:g128:searched")};
  const luq::plan one_low = luq::prefix_plan(policy, 1);
  const luq::plan all_high = luq::prefix_plan(policy, 0);
  CHECK(low_layers({"--low-layers", "3"}) == 3);
  CHECK(low_layers({"--bytes", std::to_string(luq::total_bytes(all_high))}) == 0);
  CHECK(low_layers({"--bytes", std::to_string(luq::total_bytes(all_high) - 1)}) == 1);
  CHECK(low_layers({"--bits", std::to_string(luq::average_bits(one_low) - 0.001)}) == 2);
  CHECK(low_layers({"--bits", std::to_string(luq::average_bits(one_low) + 0.001)}) == 1);
  CHECK(low_layers({"--saving", std::to_string(luq::saving(one_low, all_high) - 0.001)}) == 1);
  CHECK(low_layers({"--saving", std::to_string(luq::saving(one_low, all_high) + 0.001)}) == 2);
  CHECK(low_layers({}) == 2);  // a saving of 40 %
}

TEST_CASE("a dry run promises the file that is then written, and writes nothing") {
  const std::string packed = data().path("promised.safetensors");
  std::vector<std::string> arguments{"quantize",
                                     "--model",
                                     data().random_model,
                                     "--calibration",
                                     data().random_calibration,
                                     "--clusters",
                                     "6",
                                     "--low",
                                     "sign:g128",
                                     "--low-layers",
                                     "2",
                                     "--output",
                                     packed,
                                     "--quiet"};
  for (const char* order : {"lowest", "depth"}) {
    std::filesystem::remove(packed);
    std::vector<std::string> real = arguments;
    real.insert(real.end(), {"--order", order});
    std::vector<std::string> dry = real;
    dry.push_back("--dry-run");
    const std::string promise = run(dry).out;
    CHECK(!std::filesystem::exists(packed));
    const auto rows = table_in(promise);
    REQUIRE(rows.size() == 7 + 4);
    CHECK(rows[0][1] == "sign:g128");
    CHECK(rows[0][2] == "2");
    CHECK((promise.find("known after calibration") != std::string::npos) == (std::string(order) == "lowest"));
    CHECK(promise.find("| forward passes |") != std::string::npos);
    const std::string written = run(real).out;
    const std::string size_line = written.substr(written.rfind(packed));
    CHECK(promise.find(size_line) != std::string::npos);
    CHECK(size_line.starts_with(packed + ": " + std::to_string(std::filesystem::file_size(packed)) + " bytes"));
  }
}

TEST_CASE("ledger prints the parts of one plan, or compares several") {
  const std::string one = run({"ledger", "--shapes", "llava-1.5-7b", "--low", "billm:g128"}).out;
  CHECK(one.starts_with("llava-1.5-7b: 686 tensors, 7063427072 parameters\n\n16 of 32 layers billm:g128"));
  CHECK(table_in(one).size() == 7 + 4);
  CHECK(table_in(run({"ledger", "--shapes", "llava-1.5-7b", "--low", "sign", "bcq2", "--high", "q4_k"}).out).size() ==
        3);
  const std::string json = run({"ledger", "--shapes", "qwen2.5-vl-7b", "--json"}).out;
  CHECK(json.starts_with("{\n  \"shapes\": \"qwen2.5-vl-7b\""));
  CHECK(run({"ledger", "--help"}).out.find("--shapes") != std::string::npos);
}

TEST_CASE("scan prints every prefix of every order") {
  const auto rows = table_in(run({"scan", "--model", data().random_model, "--calibration", data().random_calibration,
                                  "--test", data().random_questions, "--clusters", "6", "--random-orders", "1"})
                                 .out);
  REQUIRE(rows.size() == 4 * 4);
  const char* const orders[] = {"lowest entropy first", "highest entropy first", "depth", "random 1"};
  for (std::size_t r = 0; r < rows.size(); ++r) {
    REQUIRE(rows[r].size() == 5);
    CHECK(rows[r][0] == orders[r / 4]);
    CHECK(rows[r][1] == std::to_string(r % 4));
    CHECK(rows[r][2] == rows[r % 4][2]);  // as many bits in every order
  }
  for (std::size_t order = 1; order < 4; ++order) {
    CHECK(rows[4 * order][4] == rows[0][4]);  // no layer low, and all of them, are one plan
    CHECK(rows[4 * order + 3][4] == rows[3][4]);
  }
}

namespace {

/// The tables of a text from the one whose header begins with `header` on; table_in() takes the first.
std::string from_table(const std::string& text, const std::string& header) {
  const std::size_t begin = text.find("| " + header + " |");
  CAPTURE(header);
  REQUIRE(begin != std::string::npos);
  return text.substr(begin);
}

/// Runs `bench` with few and short repetitions.
std::string bench(const std::vector<std::string>& arguments) {
  std::vector<std::string> all{"bench", "--context",     "4", "--prompt",  "6", "--decoded",
                               "2",     "--repetitions", "2", "--threads", "2", "--quiet"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return run(all).out;
}

/// The tables of `bench` have a row for each plan: its bytes are those of packed linears, and its rates are positive.
void check_bench(const std::string& out, const std::vector<luq::plan>& plans, luq::index head_bytes) {
  const auto whole = table_in(from_table(out, "decode, layers and head"));
  const auto layers = table_in(from_table(out, "decode, layers alone"));
  const auto prefill = table_in(from_table(out, "prefill"));
  REQUIRE(whole.size() == plans.size());
  REQUIRE(layers.size() == plans.size());
  REQUIRE(prefill.size() == plans.size());
  for (std::size_t i = 0; i < plans.size(); ++i) {
    const luq::index bytes = luq::total_bytes(plans[i]);
    CHECK(layers[i][1] == std::to_string(bytes));
    CHECK(whole[i][1] == std::to_string(bytes + head_bytes));
    CHECK(layers[i][2] == vlm::fixed(luq::average_bits(plans[i]), 3));
    for (const auto* row : {&whole[i], &layers[i]}) CHECK(std::stod((*row)[5]) > 0);
    CHECK(std::stod(prefill[i][2]) > 0);
  }
  CHECK(whole.back().back() == "1.00");
}

}  // namespace

TEST_CASE("bench times random decoders of a shape under plans and a uniform rival") {
  const std::string model = vlm_test::tiny_fixture().model.string();
  luq::model_shape shape = vlm::decoder_shape(vlm_test::tiny_model());
  shape.resize(3);
  const luq::index head_bytes = luq::packed_bytes(luq::parse_codec("int4:g128"), 64, 128);
  std::vector<luq::plan> plans;
  for (const char* low : {"sign:g128", "bcq2:g64"}) {
    plans.push_back(
        luq::prefix_plan({shape, {0, 1, 2}, luq::parse_codec(low), luq::parse_codec("int3:g128"), "depth"}, 2));
  }
  plans.push_back(luq::uniform_plan(shape, luq::parse_codec("int4:g128")));
  const std::string out = bench({"--synthetic", model, "--layers", "3", "--low", "sign:g128", "bcq2:g64", "--high",
                                 "int3:g128", "--low-layers", "2", "--head", "int4:g128"});
  CHECK(out.starts_with("tiny-llava: 3 layers, hidden size 128"));
  CHECK(out.find("int8 activations; 2 threads") != std::string::npos);
  CHECK(out.find("| 2 of 3 layers bcq2:g64, others int3:g128 |") != std::string::npos);
  check_bench(out, plans, head_bytes);

  const std::string file = data().path("plan.json");
  std::ofstream(file) << luq::plan_to_json(plans[0]);
  const std::string from_file =
      bench({"--synthetic", model, "--layers", "3", "--plan", file, "--head", "int4:g128", "--activations", "float32"});
  CHECK(from_file.find("float32 activations") != std::string::npos);
  check_bench(from_file, {plans[0], plans[2]}, head_bytes);
}

TEST_CASE("bench times a packed file beside the float model") {
  const std::string packed = data().path("timed.safetensors");
  const vlm::quantized_decoder decoder = vlm_test::quantize_random_model("int4:g16/gptq");
  const luq::plan choice = luq::uniform_plan(vlm::decoder_shape(vlm_test::random_model()), decoder.how);
  vlm::write_planned_model(packed, data().random_model, choice, {&decoder});
  const auto rows =
      table_in(from_table(bench({"--model", data().random_model, "--packed", packed}), "decode, layers alone"));
  REQUIRE(rows.size() == 2);
  CHECK(rows[0][1] == std::to_string(luq::total_bytes(choice)));
  CHECK(rows[1][1] == std::to_string(4 * luq::weights_of(choice.shape)));
  CHECK(rows[1][2] == "32.000");
}
