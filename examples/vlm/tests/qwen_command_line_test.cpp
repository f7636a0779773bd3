// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The commands of luq-vlm on a directory of Qwen2.5-VL: they take it as they take one of LLaVA.
#include <luq/io/luq/packed_model.hpp>

#include "app_test_support.hpp"
#include "program_run.hpp"
#include "qwen_test_support.hpp"

using vlm_test::program_result;

namespace {

/// A set of sequences and one of questions, and a place for what commands write.
struct qwen_data {
  vlm_test::scratch_directory directory;
  std::string model = vlm_test::published_fixture().model.string();
  std::string calibration = path("calibration.safetensors");
  std::string questions = path("questions.safetensors");
  std::string packed = path("packed.safetensors");

  qwen_data() {
    vlm_test::store(vlm_test::qwen_calibration_set(12)).write(calibration);
    vlm_test::store(vlm_test::qwen_questions(16)).write(questions);
  }

  [[nodiscard]] std::string path(const char* name) const { return (directory.path() / name).string(); }
};

/// Runs a command, which must succeed and say these things.
void check_says(std::vector<std::string> arguments, const std::vector<std::string>& fragments) {
  const std::string command = arguments.front();
  if (arguments.size() > 2) arguments.push_back("--quiet");
  const program_result result = vlm_test::run_program(arguments);
  CAPTURE(command);
  CAPTURE(result.err);
  CAPTURE(result.out);
  REQUIRE(result.exit_code == 0);
  for (const std::string& fragment : fragments) {
    CAPTURE(fragment);
    CHECK(result.out.find(fragment) != std::string::npos);
  }
}

}  // namespace

TEST_CASE("entropies, a plan with its ledger, a packed file, and answers") {
  const qwen_data data;
  check_says({"inspect", data.model}, {"| model.layers.2.mlp.down_proj | 64 | 96 | 6144 |", "92160"});
  const auto on_model = [&](const char* command, std::vector<std::string> options) {
    options.insert(options.begin(), {command, "--model", data.model});
    return options;
  };
  check_says(on_model("entropy", {"--calibration", data.calibration, "--clusters", "8"}), {"image tokens", "| 2 | "});
  std::vector<std::string> quantize = on_model("quantize", {"--calibration", data.calibration, "--clusters", "8"});
  quantize.insert(quantize.end(), {"--low", "sign:g64", "--high", "int8:g32", "--bits", "6", "--output", data.packed});
  std::vector<std::string> dry = quantize;
  dry.push_back("--dry-run");
  check_says(dry, {"sign:g64", "decoder norms and biases", "vision tower", "forward passes"});
  CHECK(!std::filesystem::exists(data.packed));
  check_says(quantize, {"sign:g64", "int8:g32", "of which decoder linears"});
  check_says({"inspect", data.packed}, {"sign:g64", "int8:g32"});
  check_says(on_model("evaluate", {"--test", data.questions}), {"| all | 16 | 16 | 100.0 % |"});
  check_says(on_model("evaluate", {"--test", data.questions, "--packed", data.packed}), {"| all | 16 |", "true bits"});
}

TEST_CASE("sequences of one kind") {
  const qwen_data data;
  for (const bool with_image : {false, true}) {
    const std::string calibration = data.path("one-kind.safetensors");
    vlm_test::store_one_kind(vlm_test::qwen_calibration_set(12), with_image).write(calibration);
    const auto calibrated = [&](const char* command, std::vector<std::string> options) {
      options.insert(options.begin(), {command, "--model", data.model, "--calibration", calibration, "--clusters", "8",
                                       "--alpha", with_image ? "1" : "0"});
      return options;
    };
    check_says(calibrated("entropy", {}), {"| 2 | ", with_image ? "image tokens" : "| too few tokens | "});
    check_says(calibrated("quantize", {"--low", "sign:g64", "--low-layers", "1", "--output", data.packed}),
               {"sign:g64", "of which decoder linears"});
    check_says(calibrated("export", {"--to", "imatrix", "--output", data.path("imatrix.gguf")}),
               {with_image ? " image tokens" : " and 0 image tokens"});
  }
}

TEST_CASE("ledger and bench") {
  const qwen_data data;
  const vlm_test::program_result ledger = vlm_test::run_program({"ledger", "--shapes", data.model});
  CAPTURE(ledger.err);
  REQUIRE(ledger.exit_code == 0);
  CHECK(ledger.out.find("1 of 3 layers billm:g128, others int4:g128") != std::string::npos);
  check_says({"bench", "--synthetic", data.model, "--context", "4", "--repetitions", "1", "--prompt", "0"},
             {"3 layers, hidden size 64"});
}
