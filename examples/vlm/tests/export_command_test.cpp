// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The export command as a user runs it: every target from the files of the commands before it, and one line for what
// cannot be.
#include <luq/io/gguf/gguf.hpp>

#include "export_test_support.hpp"
#include "program_run.hpp"

using vlm_test::check_refused;
using vlm_test::program_result;
using vlm_test::run_program;
using vlm_test::scratch_directory;

namespace {

/// A packed file and a plan of the embedded model.
struct export_files {
  scratch_directory directory;
  std::string packed = path("packed.safetensors");
  std::string plan = path("plan.json");

  export_files() {
    const program_result quantized =
        run_program({"quantize", "--low", "sign:g128", "--high", "int4:g128:sym", "--low-layers", "3", "--tokens",
                     "500", "--clusters", "10", "--seeds", "1", "--output", packed, "--plan", plan, "--quiet"});
    CAPTURE(quantized.err);
    REQUIRE(quantized.exit_code == 0);
  }

  [[nodiscard]] std::string path(const char* name) const { return (directory.path() / name).string(); }
};

const export_files& files_to_export() {
  static const export_files result;
  return result;
}

/// The last line that an export prints.
std::string exported_text(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "export");
  const program_result result = run_program(arguments);
  CAPTURE(result.err);
  REQUIRE(result.exit_code == 0);
  return vlm_test::last_line(result.out);
}

void check_export_refused(std::vector<std::string> arguments, const std::vector<std::string>& fragments) {
  arguments.insert(arguments.begin(), "export");
  check_refused(arguments, fragments);
}

}  // namespace

TEST_CASE("every target") {
  const std::string types = files_to_export().path("types.txt");
  CHECK(exported_text({"--to", "tensor-type-file", "--plan", files_to_export().plan, "--output", types})
            .starts_with(types + ": "));
  CHECK(exported_text({"--to", "custom-q", "--plan", files_to_export().plan, "--type", "int4:g128:sym=q4_k_r4",
                       "--output", files_to_export().path("custom.txt")})
            .ends_with("types of 84 tensors: q1_0 q4_k_r4\n"));
  CHECK(exported_text({"--to", "imatrix", "--tokens", "500", "--clusters", "10", "--quiet", "--output",
                       files_to_export().path("imatrix.gguf")})
            .find("importance matrix of 84 tensors") != std::string::npos);
  const std::string model = files_to_export().path("model.gguf");
  CHECK(exported_text({"--to", "gguf", "--packed", files_to_export().packed, "--output", model})
            .ends_with("model of llama.cpp, 21 linears q1_0 and 63 linears q4_0, without a tokenizer\n"));
  CHECK(luq::gguf_reader(model).tensors().size() == 84 + 27);
  CHECK(exported_text({"--to", "gguf", "--packed", files_to_export().packed, "--like", model, "--output",
                       files_to_export().path("like.gguf")})
            .ends_with("the rest as in " + model + "\n"));
  CHECK(
      exported_text({"--to", "gptq", "--packed", files_to_export().packed, "--output", files_to_export().path("gptq")})
          .find("63 linears quantized and 21 decoded to F16") != std::string::npos);
}

TEST_CASE("what cannot be exported is said in one line") {
  const std::string output = files_to_export().path("refused");
  check_export_refused({}, {"--to is required"});
  check_export_refused({"--to", "gguf"}, {"--output is required"});
  check_export_refused({"--to", "onnx", "--output", output}, {"onnx", "tensor-type-file", "gptq"});
  check_export_refused({"--to", "gguf", "--output", output}, {"export --to gguf: expected --packed"});
  check_export_refused({"--to", "custom-q", "--packed", files_to_export().packed, "--output", output},
                       {"expected --plan"});
  check_export_refused({"--to", "gptq", "--packed", "/absent", "--output", output}, {"/absent: cannot open"});
  check_export_refused({"--to", "gptq", "--packed", files_to_export().packed, "--output", "/absent/x"},
                       {"/absent/x.partial: cannot be made: "});
  check_export_refused(
      {"--to", "gptq", "--packed", files_to_export().packed, "--output", files_to_export().directory.path().string()},
      {"expected a new or empty directory"});
  check_export_refused(
      {"--to", "gguf", "--packed", files_to_export().packed, "--like", files_to_export().packed, "--output", output},
      {files_to_export().packed});
  check_export_refused({"--to", "gguf", "--packed", files_to_export().packed, "--model", "/absent", "--output", output},
                       {"/absent: expected a model directory"});
  CHECK(!std::filesystem::exists(output));
}
