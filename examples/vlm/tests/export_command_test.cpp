// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The export command as a user runs it: every target from the files of the commands before it, and one line for what
// cannot be.
#include <algorithm>
#include <luq/io/gguf.hpp>

#include "export_test_support.hpp"
#include "program_run.hpp"

using vlm_test::program_result;
using vlm_test::run_program;
using vlm_test::scratch_directory;

namespace {

/// A packed file and a plan of the embedded model.
struct small_files {
  scratch_directory directory;
  std::string packed = path("packed.safetensors");
  std::string plan = path("plan.json");

  small_files() {
    const program_result quantized =
        run_program({"quantize", "--low", "sign:g128", "--high", "int4:g128:sym", "--low-layers", "3", "--tokens", "500",
                     "--clusters", "10", "--seeds", "1", "--output", packed, "--plan", plan, "--quiet"});
    CAPTURE(quantized.err);
    REQUIRE(quantized.exit_code == 0);
  }

  [[nodiscard]] std::string path(const char* name) const { return (directory.path() / name).string(); }
};

const small_files& files() {
  static const small_files result;
  return result;
}

/// The last line that an export prints.
std::string exported(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "export");
  const program_result result = run_program(arguments);
  CAPTURE(result.err);
  REQUIRE(result.exit_code == 0);
  return vlm_test::last_line(result.out);
}

void check_refused(std::vector<std::string> arguments, const std::vector<std::string>& fragments) {
  arguments.insert(arguments.begin(), "export");
  const program_result result = run_program(arguments);
  CAPTURE(result.err);
  CHECK(result.exit_code > 0);
  CHECK(result.out.empty());
  CHECK(result.err.starts_with("luq-vlm: "));
  CHECK(std::ranges::count(result.err, '\n') == 1);
  CHECK(result.err.size() < 400);
  for (const std::string& fragment : fragments) {
    CAPTURE(fragment);
    CHECK(result.err.find(fragment) != std::string::npos);
  }
}

}  // namespace

TEST_CASE("every target") {
  const std::string types = files().path("types.txt");
  CHECK(exported({"--to", "tensor-type-file", "--plan", files().plan, "--output", types}).starts_with(types + ": "));
  CHECK(exported({"--to", "custom-q", "--plan", files().plan, "--type", "int4:g128:sym=q4_k_r4", "--output",
                  files().path("custom.txt")})
            .ends_with("types of 84 tensors: q1_0 q4_k_r4\n"));
  CHECK(exported({"--to", "imatrix", "--tokens", "500", "--clusters", "10", "--quiet", "--output",
                  files().path("imatrix.gguf")})
            .find("importance matrix of 84 tensors") != std::string::npos);
  const std::string model = files().path("model.gguf");
  CHECK(exported({"--to", "gguf", "--packed", files().packed, "--output", model})
            .ends_with("model of llama.cpp, 21 linears q1_0 and 63 linears q4_0, without a tokenizer\n"));
  CHECK(luq::gguf_reader(model).tensors().size() == 84 + 27);
  CHECK(exported({"--to", "gguf", "--packed", files().packed, "--like", model, "--output", files().path("like.gguf")})
            .ends_with("the rest as in " + model + "\n"));
  CHECK(exported({"--to", "gptq", "--packed", files().packed, "--output", files().path("gptq")})
            .find("63 linears quantized and 21 decoded to F16") != std::string::npos);
}

TEST_CASE("what cannot be exported is said in one line") {
  const std::string output = files().path("refused");
  check_refused({}, {"--to is required"});
  check_refused({"--to", "gguf"}, {"--output is required"});
  check_refused({"--to", "onnx", "--output", output}, {"onnx", "tensor-type-file", "gptq"});
  check_refused({"--to", "gguf", "--output", output}, {"export --to gguf: expected --packed"});
  check_refused({"--to", "custom-q", "--packed", files().packed, "--output", output}, {"expected --plan"});
  check_refused({"--to", "gptq", "--packed", "/absent", "--output", output}, {"/absent: cannot open"});
  check_refused({"--to", "gptq", "--packed", files().packed, "--output", "/absent/x"}, {"no folder /absent"});
  check_refused({"--to", "gptq", "--packed", files().packed, "--output", files().directory.path().string()},
                {"expected a new or empty directory"});
  check_refused({"--to", "gguf", "--packed", files().packed, "--like", files().packed, "--output", output},
                {files().packed});
  check_refused({"--to", "gguf", "--packed", files().packed, "--model", "/absent", "--output", output},
                {"/absent: expected a model directory"});
  CHECK(!std::filesystem::exists(output));
}
