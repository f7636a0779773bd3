// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Outputs of luq-vlm that cannot be written: an error in one line, before the inputs are even opened; and disks that
// are full by the time of writing.
#include <sys/resource.h>

#include <fstream>

#include "app_test_support.hpp"
#include "program_run.hpp"

using vlm_test::check_refused;
using vlm_test::program_result;
using vlm_test::run_program;
using vlm_test::scratch_directory;

namespace {

using words = std::vector<std::string>;

/// Places where nothing can be written, and inputs that a command could not use: what it says of an output, it says
/// before it opens them.
struct places {
  scratch_directory directory;
  std::string model = path("model");  // a model directory by its files' names alone
  std::string file = path("file");
  std::string folder = path("folder");

  places() {
    std::filesystem::create_directory(model);
    std::ofstream(model + "/model.safetensors") << "no tensors";
    std::ofstream(model + "/config.json") << "no configuration";
    std::ofstream(file) << "no input";
    std::filesystem::create_directory(folder);
    std::filesystem::create_directory(folder + "/report.html");
  }

  [[nodiscard]] std::string path(const char* name) const { return (directory.path() / name).string(); }

  /// An output that cannot be, and what is said of it.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> impossible_files() const {
    return {{folder, "got a folder"},
            {"/absent/x", "there is no folder /absent"},
            {file + "/x", file + " is no folder"},
            {"/proc/x", "cannot create a temporary file beside it"},
            {"/dev/full", "expected a file or a new name"},
            {path(std::string(300, 'n').c_str()), "cannot be written: "},
            {"", "expected a path, got nothing"}};
  }
};

const places& test_places() {
  static const places result;
  return result;
}

words with(words command, const words& more) {
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

/// Commands that write a file, without its option.
std::vector<words> commands_of_files() {
  const words inputs{"--model", test_places().model, "--calibration", test_places().file};
  const words from_packed{"--packed", test_places().file};
  return {with({"quantize"}, inputs),
          {"export", "--to", "tensor-type-file", "--plan", test_places().file},
          {"export", "--to", "custom-q", "--plan", test_places().file},
          with({"export", "--to", "imatrix"}, inputs),
          with({"export", "--to", "gguf", "--model", test_places().model}, from_packed)};
}

/// While it lives, programs that are started may not make larger files.
class inherited_file_size_limit {
 public:
  explicit inherited_file_size_limit(rlim_t bytes) {
    REQUIRE(getrlimit(RLIMIT_FSIZE, &old_) == 0);
    rlimit limit = old_;
    limit.rlim_cur = bytes;
    REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  inherited_file_size_limit(const inherited_file_size_limit&) = delete;
  inherited_file_size_limit& operator=(const inherited_file_size_limit&) = delete;
  ~inherited_file_size_limit() { setrlimit(RLIMIT_FSIZE, &old_); }

 private:
  rlimit old_{};
};

}  // namespace

TEST_CASE("files that cannot be written") {
  for (const auto& [output, reason] : test_places().impossible_files()) {
    for (const words& command : commands_of_files()) {
      check_refused(with(command, {"--output", output}), {output, reason});
    }
    check_refused(with(commands_of_files()[0], {"--output", test_places().path("packed"), "--plan", output}),
                  {output, reason});
  }
}

TEST_CASE("directories that cannot be made") {
  const words gptq{"export",           "--to",    "gptq", "--model", test_places().model, "--packed",
                   test_places().file, "--output"};
  for (const std::string& used : {test_places().folder, test_places().file, std::string("/dev/full")}) {
    check_refused(with(gptq, {used}), {used + ": expected a new or empty directory"});
  }
  for (const std::string& place : {std::string("/absent"), test_places().file, std::string("/proc")}) {
    check_refused(with(gptq, {place + "/x"}), {place + "/x.partial: cannot be made: "});
  }
  check_refused(with(gptq, {""}), {"expected a path, got nothing"});

  const words demo{"demo", "--model", test_places().model, "--calibration", test_places().file, "--output"};
  check_refused(with(demo, {test_places().file}), {test_places().file + ": cannot be made: "});
  check_refused(with(demo, {"/proc/x"}), {"/proc/x: cannot be made: "});
  check_refused(with(demo, {test_places().folder}), {test_places().folder + "/report.html: cannot be written"});
  check_refused(with(demo, {test_places().path("absent/demo")}), {test_places().model});
  CHECK(!std::filesystem::exists(test_places().path("absent")));  // made for the proof, and removed
}

TEST_CASE("outputs that are one file, or inputs") {
  const std::string& file = test_places().file;
  const std::string& model = test_places().model;
  const std::string same = test_places().path("same");
  const words quantize = commands_of_files()[0];
  check_refused(with(quantize, {"--output", same, "--plan", same}), {same, "two outputs"});
  check_refused(with(quantize, {"--output", same, "--plan", test_places().path("folder/../same")}),
                {"folder/../same: cannot be written", "two outputs"});
  check_refused(with(quantize, {"--output", model + "/model.safetensors"}), {"it is read, too"});
  check_refused(with(quantize, {"--output", same, "--plan", model + "/config.json"}), {"it is read, too"});
  for (const words& command : commands_of_files()) {
    check_refused(with(command, {"--output", file}), {file + ": cannot be written: it is read, too"});
  }
  check_refused({"export", "--to", "gguf", "--model", model, "--packed", "/absent", "--like", file, "--output", file},
                {"it is read, too"});
  const std::string used = test_places().path("used");
  std::filesystem::create_directory(used);
  std::ofstream(used + "/packed.safetensors") << "no input";
  check_refused({"demo", "--model", model, "--output", used, "--calibration", used + "/packed.safetensors"},
                {"it is read, too"});
}

TEST_CASE("a disk that is full when the file is written") {
  const scratch_directory directory;
  const std::string calibration = (directory.path() / "calibration.safetensors").string();
  const std::string output = (directory.path() / "packed.safetensors").string();
  vlm_test::store(vlm_test::random_calibration_set(12)).write(calibration);
  const words command{"quantize",
                      "--model",
                      vlm_test::random_fixture().model.string(),
                      "--calibration",
                      calibration,
                      "--clusters",
                      "4",
                      "--low",
                      "sign:g128",
                      "--quiet",
                      "--output",
                      output};
  {
    const inherited_file_size_limit limit(16'384);  // the table that is printed fits
    const program_result result = run_program(command);
    CAPTURE(result.err);
    CHECK(result.exit_code == 1);
    CHECK(result.err.starts_with("luq-vlm: " + output + ": cannot reserve "));
    CHECK(result.err.ends_with(" bytes: File too large\n"));
  }
  CHECK(std::distance(std::filesystem::directory_iterator(directory.path()), {}) == 1);
  CHECK(run_program(command).exit_code == 0);
  CHECK(std::filesystem::exists(output));
}

TEST_CASE("results that cannot be printed") {
  const program_result result = run_program({"ledger", "--shapes", "llava-1.5-7b"}, "/dev/full");
  CHECK(result.exit_code == 1);
  CHECK(result.err == "luq-vlm: standard output: cannot be written\n");
}
