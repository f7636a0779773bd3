// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What luq-vlm says to bad input: one line that names it, before any work, and an exit code that is not zero.
#include <fstream>
#include <limits>
#include <luq/io/luq/plan_json.hpp>

#include "app/pipeline.hpp"
#include "app_test_support.hpp"
#include "device_test_support.hpp"
#include "program_run.hpp"

using vlm_test::check_refused;
using vlm_test::run_program;
using vlm_test::scratch_directory;
using vlm_test::stored_model;

namespace {

using arguments = std::vector<std::string>;

/// The random model, sets that fit it, and a packed file made of it.
struct command_files {
  scratch_directory directory;
  std::string model = vlm_test::random_fixture().model.string();
  std::string calibration = path("calibration.safetensors");
  std::string test = path("test.safetensors");
  std::string packed = path("packed.safetensors");

  command_files() {
    vlm_test::store(vlm_test::random_calibration_set(12)).write(calibration);
    vlm_test::store(vlm_test::random_questions(12)).write(test);
    const vlm::quantized_decoder low = vlm_test::quantize_random_model("sign:g128/gptq");
    vlm::write_planned_model(packed, model, luq::uniform_plan(vlm::decoder_shape(vlm_test::random_model()), low.how),
                             {&low});
  }

  [[nodiscard]] std::string path(const char* name) const { return (directory.path() / name).string(); }

  /// A command on the random model.
  [[nodiscard]] arguments on_model(const arguments& command) const {
    arguments all = command;
    all.insert(all.end(), {"--model", model});
    return all;
  }

  /// A copy of the model's directory.
  [[nodiscard]] std::filesystem::path copy_of_model(const char* name) const {
    const auto copy = directory.path() / name;
    std::filesystem::copy(model, copy);
    return copy;
  }
};

const command_files& files_of_commands() {
  static const command_files result;
  return result;
}

void cut(const std::filesystem::path& file, std::uintmax_t bytes) {
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - bytes);
}

}  // namespace

TEST_CASE("commands and options that there are none of") {
  check_refused({}, {"subcommand is required"});
  check_refused({"evalute"}, {"evalute"});
  check_refused({"--bogus"}, {"--bogus"});
  check_refused({"evaluate", "--bogus"}, {"--bogus"});
  check_refused({"evaluate", "extra"}, {"extra"});
  check_refused({"inspect", "one", "two"}, {"two"});
}

TEST_CASE("values out of their ranges") {
  for (const char* command : {"entropy", "quantize", "scan", "demo"}) {
    check_refused({command, "--alpha", "2"}, {"--alpha", "2 not in range 0"});
    check_refused({command, "--tokens", "-1"}, {"--tokens", ">= 0", "got -1"});
    check_refused({command, "--tokens", "many"}, {"--tokens", "got many"});
    check_refused({command, "--clusters", "0"}, {"--clusters", ">= 1", "got 0"});
    check_refused({command, "--seeds", "1.5"}, {"--seeds", "got 1.5"});
    check_refused({command, "--norm-clip", "-1"}, {"--norm-clip", "expected a number >= 0", "got -1"});
    check_refused({command, "--norm-clip", "nan"}, {"--norm-clip", "got nan"});
  }
  check_refused({"evaluate", "--threads", "1000000"}, {"--threads", "<= 1024"});
  check_refused({"evaluate", "--threads", "99999999999999999999"}, {"--threads", "got 99999999999999999999"});
  check_refused({"evaluate", "--activations", "int4"}, {"--activations", "int4", "float32", "int8"});
  check_refused({"evaluate", "--device", "tpu"}, {"--device", "tpu", "cpu", "cuda"});
  check_refused({"evaluate", "--device", "cuda"}, {"--device cuda", "--packed"});
  check_refused({"scan", "--random-orders", "-1"}, {"--random-orders", "got -1"});
  check_refused({"quantize", "--saving", "1.5"}, {"--saving", "1.5"});
  check_refused({"quantize", "--low-layers", "x"}, {"--low-layers"});
  check_refused({"quantize", "--bits"}, {"--bits"});
  check_refused({"quantize", "--bits", "3", "--saving", "0.4"}, {"--bits", "--saving"});
}

TEST_CASE("a GPU where there is none") {
  if (vlm_test::has_device()) return;
  // Before files are looked at.
  const arguments given{"evaluate", "--packed", "/absent", "--device", "cuda"};
  check_refused(given, {"CUDA"});
  CHECK(run_program(given).exit_code == 1);
}

TEST_CASE("what bench cannot time") {
  const std::string tiny = vlm_test::tiny_fixture().model.string();
  check_refused({"bench"}, {"--synthetic or --packed"});
  check_refused({"bench", "--synthetic", tiny, "--packed", files_of_commands().packed}, {"--packed", "--synthetic"});
  check_refused({"bench", "--synthetic", tiny, "--plan", "x", "--low", "sign"}, {"--plan", "--low"});
  check_refused({"bench", "--synthetic", "llava-13b"}, {"\"llava-13b\"", "qwen2.5-vl-7b"});
  check_refused({"bench", "--synthetic", tiny, "--layers", "13"}, {"tiny-llava", "1 ... 12", "got 13"});
  check_refused({"bench", "--synthetic", tiny, "--low-layers", "13"}, {"expected 0 ... 12, got 13"});
  check_refused({"bench", "--synthetic", tiny, "--low", "int5"}, {"\"int5\""});
  check_refused({"bench", "--synthetic", tiny, "--head", "int5"}, {"\"int5\""});
  check_refused({"bench", "--synthetic", "qwen2.5-vl-7b", "--memory", "1.5"},
                {"qwen2.5-vl-7b", "more than the 1.5 GiB"});
  check_refused({"bench", "--synthetic", tiny, "--memory", "0"}, {"--memory"});
  check_refused({"bench", "--synthetic", tiny, "--repetitions", "0"}, {"--repetitions", ">= 1"});
  check_refused({"bench", "--synthetic", tiny, "--context", "-1"}, {"--context", ">= 0"});
  check_refused({"bench", "--synthetic", tiny, "--plan", "/absent"}, {"/absent: cannot be read"});
  check_refused({"bench", "--synthetic", tiny, "--plan", files_of_commands().test}, {files_of_commands().test});
  const std::string plan = files_of_commands().path("plan.json");
  std::ofstream(plan) << luq::plan_to_json(
      luq::uniform_plan(vlm::decoder_shape(vlm_test::random_model()), luq::parse_codec("sign:g128")));
  check_refused({"bench", "--synthetic", tiny, "--plan", plan}, {plan, "other layers or shapes", "tiny-llava"});
  check_refused({"bench", "--packed", "/absent"}, {"/absent: cannot open"});
  check_refused({"bench", "--packed", files_of_commands().packed},
                {files_of_commands().packed, "other layers or shapes than the model"});
}

TEST_CASE("what ledger cannot account for") {
  check_refused({"ledger"}, {"--shapes is required"});
  check_refused({"ledger", "--shapes", "llava-13b"}, {"\"llava-13b\"", "qwen2.5-vl-7b"});
  check_refused({"ledger", "--shapes", "llava-1.5-7b", "--plan", "x", "--low", "sign"}, {"--plan", "--low"});
  check_refused({"ledger", "--shapes", "llava-1.5-7b", "--low-layers", "33"}, {"expected 0 ... 32, got 33"});
  check_refused({"ledger", "--shapes", "llava-1.5-7b", "--norms", "sign"}, {"expected plain numbers, got sign:g128"});
  check_refused({"ledger", "--shapes", "qwen2.5-vl-7b", "--vision", "q4_k"}, {"3420 columns", "256", "q4_k"});
  check_refused({"ledger", "--shapes", "llava-1.5-7b", "--saving", "2"}, {"--saving"});
  check_refused({"ledger", "--shapes", files_of_commands().directory.path().string()},
                {"holds neither model.safetensors nor"});
}

TEST_CASE("wrong paths") {
  for (const char* command : {"entropy", "quantize", "evaluate", "scan", "demo"}) {
    check_refused({command, "--model", "/absent"}, {"/absent: expected a model directory, got nothing of that name"});
  }
  check_refused({"evaluate", "--model", files_of_commands().packed}, {files_of_commands().packed});
  check_refused({"inspect", "/absent"}, {"/absent"});
  check_refused({"inspect", files_of_commands().directory.path().string()}, {"holds neither model.safetensors nor"});
  check_refused({"evaluate", "--packed", "/absent"}, {"/absent: cannot open"});
  check_refused({"evaluate", "--test", "/absent"}, {"/absent: cannot open"});
  check_refused({"entropy", "--calibration", "/absent"}, {"/absent: cannot open"});
  check_refused({"quantize", "--output", "/absent/packed"}, {"/absent/packed", "no folder /absent"});
  check_refused({"quantize", "--plan", "/absent/plan"}, {"/absent/plan", "no folder /absent"});
  check_refused({"demo", "--output", files_of_commands().packed}, {files_of_commands().packed});
}

TEST_CASE("files of another kind") {
  check_refused({"evaluate", "--test", files_of_commands().packed}, {files_of_commands().packed, "input_ids"});
  check_refused({"entropy", "--calibration", files_of_commands().test}, {files_of_commands().test, "attention_mask"});
  check_refused({"evaluate", "--packed", files_of_commands().test}, {files_of_commands().test, "no packed model"});
  check_refused({"inspect", files_of_commands().test}, {files_of_commands().test, "no packed model"});
  check_refused({"evaluate", "--packed", files_of_commands().packed},
                {files_of_commands().packed, "other layers or shapes than the model"});
}

TEST_CASE("files that are cut off") {
  const auto packed = files_of_commands().directory.path() / "cut.safetensors";
  std::filesystem::copy_file(files_of_commands().packed, packed);
  cut(packed, 1);
  check_refused(files_of_commands().on_model({"evaluate", "--packed", packed.string()}), {packed.string()});
  check_refused({"inspect", packed.string()}, {packed.string()});
  std::filesystem::resize_file(packed, 5);
  check_refused({"inspect", packed.string()}, {packed.string()});

  const auto model = files_of_commands().copy_of_model("cut-model");
  cut(model / "model.safetensors", 1000);
  for (const char* command : {"entropy", "quantize", "evaluate", "scan"}) {
    check_refused({command, "--model", model.string()}, {(model / "model.safetensors").string()});
  }
  check_refused({"inspect", model.string()}, {(model / "model.safetensors").string()});
}

TEST_CASE("weights that are no finite numbers") {
  const auto model = files_of_commands().copy_of_model("not-finite");
  stored_model stored(model);
  const std::string name = "model.language_model.layers.1.mlp.up_proj.weight";
  stored.tensors.at(name).values[5] = std::numeric_limits<float>::quiet_NaN();
  stored.write(model);
  for (const char* command : {"entropy", "quantize", "evaluate", "scan"}) {
    check_refused({command, "--model", model.string()}, {name, "element 5"});
  }
  check_refused({"inspect", model.string()}, {name});
}

TEST_CASE("codecs and orders that there are none of") {
  for (const char* command : {"quantize", "scan", "demo"}) {
    check_refused({command, "--low", "int5"}, {"\"int5\"", "int2, int3, int4, int8 [:sym]"});
    check_refused({command, "--high", "int4:x"}, {"int4:x"});
    check_refused({command, "--low", "trellis2/gptq"}, {"trellis2:g128/gptq", "depend on one another"});
    check_refused({command, "--high", "int4/qep+gptq"}, {"int4:g128/qep+gptq", "does not measure the drift"});
  }
  check_refused({"quantize", "--order", "sideways"}, {"\"sideways\"", "lowest, highest, depth, random"});
  check_refused({"quantize", "--order", "random:x"}, {"\"random:x\""});
}

TEST_CASE("budgets that cannot be met") {
  check_refused({"quantize", "--low-layers", "99"}, {"expected 0 ... 12, got 99"});
  check_refused({"quantize", "--low-layers", "-1"}, {"expected 0 ... 12, got -1"});
  // 2359296 weights, at least 1.724 bits each.
  const std::vector<std::string> smallest{"smallest possible", "508416 bytes", "1.724 bits"};
  check_refused({"quantize", "--bits", "0.5"}, smallest);
  check_refused({"quantize", "--bytes", "508415"}, smallest);
  check_refused({"quantize", "--saving", "0.99"}, smallest);
  check_refused({"demo", "--saving", "0.99", "--output", files_of_commands().path("demo")}, smallest);
}

TEST_CASE("the smallest budget that a message names is possible") {
  const arguments quantize =
      files_of_commands().on_model({"quantize", "--calibration", files_of_commands().calibration, "--clusters", "4",
                                    "--output", files_of_commands().path("smallest")});
  const auto with_bits = [&](const std::string& bits) {
    arguments all = quantize;
    all.insert(all.end(), {"--bits", bits});
    return all;
  };
  const std::string line = check_refused(with_bits("0.5"), {"smallest possible"});
  const std::size_t begin = line.find("bytes, ") + 7;
  const std::string bits = line.substr(begin, line.find(" bits a weight", begin) - begin);
  CAPTURE(bits);
  CHECK(run_program(with_bits(bits)).exit_code == 0);
}

TEST_CASE("too few calibration tokens") {
  check_refused({"entropy", "--tokens", "50"}, {"--tokens", "at least 100", "got 50"});
  check_refused({"quantize", "--tokens", "99"}, {"at least 100", "got 99"});
  check_refused({"entropy", "--tokens", "1000000"}, {"expected 500000 tokens in multimodal", "found"});
  check_refused(
      files_of_commands().on_model({"entropy", "--calibration", files_of_commands().calibration, "--tokens", "100000"}),
      {files_of_commands().calibration, "expected 50000 tokens"});
  const std::string images_only = files_of_commands().path("images-only.safetensors");
  vlm_test::store_one_kind(vlm_test::random_calibration_set(12), true).write(images_only);
  check_refused(files_of_commands().on_model({"entropy", "--calibration", images_only}), {images_only, "0 text-only"});
  check_refused(files_of_commands().on_model({"demo", "--calibration", images_only, "--alpha", "0", "--output",
                                              files_of_commands().path("demo")}),
                {images_only, "expected text-only sequences"});
}

TEST_CASE("sequences and questions that the model cannot take are named with their files") {
  vlm_test::stored_set calibration = vlm_test::store(vlm_test::random_calibration_set(12));
  calibration.integers["input_ids"].values[0] = 4000;
  const std::string sequences = files_of_commands().path("unknown-id.safetensors");
  calibration.write(sequences);
  for (const char* command : {"entropy", "quantize"}) {
    check_refused(files_of_commands().on_model({command, "--calibration", sequences, "--clusters", "8", "--quiet"}),
                  {sequences + ": sequence 0: ", "position 0", "got 4000"});
  }
  vlm_test::stored_set test = vlm_test::store(vlm_test::random_questions(12));
  test.integers["answers"].values[5] = 4000;
  const std::string questions = files_of_commands().path("unknown-answer.safetensors");
  test.write(questions);
  check_refused(files_of_commands().on_model({"evaluate", "--test", questions, "--quiet"}),
                {questions + ": question 5: answer", "got 4000"});
}
