// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Exports of plans for llama-quantize, and what no target takes. Others are in tests of their own.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <luq/io/luq/plan_json.hpp>

#include "export_test_support.hpp"

using luq::errc;
using vlm_test::check_fails;
using vlm_test::run_export;
using vlm_test::scratch_directory;

namespace {

/// A plan of the embedded model's shape, under these codecs in turn, as a file.
std::filesystem::path write_plan(const scratch_directory& directory, const std::vector<std::string>& codecs) {
  luq::plan choice{luq::decoder_linears_of(vlm::shape_of(luq::checkpoint(vlm_test::embedded_model()))), {}, "by hand"};
  for (std::size_t layer = 0; layer < choice.shape.size(); ++layer) {
    choice.recipes.push_back(luq::parse_codec(codecs[layer % codecs.size()]));
  }
  const std::filesystem::path file = directory.path() / "plan.json";
  std::ofstream(file, std::ios::binary) << luq::plan_to_json(choice);
  return file;
}

std::string content_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

TEST_CASE("a plan as a file of types") {
  const scratch_directory directory;
  const auto plan = write_plan(directory, {"sign:g128", "int4:g64:sym"});
  const auto output = directory.path() / "types.txt";
  const std::string printed = run_export({.target = "tensor-type-file", .plan_file = plan, .output = output});
  const std::string text = content_of(output);
  CHECK(std::ranges::count(text, '\n') == 84);
  CHECK(text.find("^blk\\.0\\.attn_q\\.weight$=q1_0\n") != std::string::npos);
  CHECK(text.find("^blk\\.11\\.ffn_down\\.weight$=q4_0\n") != std::string::npos);
  CHECK(printed == output.string() + ": " + std::to_string(text.size()) + " bytes: types of 84 tensors: q1_0 q4_0\n");
}

TEST_CASE("a plan as an argument of ik_llama.cpp") {
  const scratch_directory directory;
  const auto plan = write_plan(directory, {"sign:g128", "trellis1.58:g0"});
  const auto output = directory.path() / "custom-q.txt";
  const std::string printed = run_export({.target = "custom-q",
                                          .plan_file = plan,
                                          .types = {"trellis1.58:g0=iq1_bn"},  // ik_llama.cpp's own
                                          .output = output});
  const std::string text = content_of(output);
  CHECK(text.starts_with("^blk\\.0\\."));
  CHECK(std::ranges::count(text, ',') == 83);
  CHECK(std::ranges::count(text, '\n') == 1);
  CHECK(text.find("^blk\\.1\\.attn_q\\.weight$=iq1_bn,") != std::string::npos);
  CHECK(printed.ends_with(" bytes: types of 84 tensors: iq1_bn q1_0\n"));
}

TEST_CASE("a codec that is replaced by an approximate type is remarked on") {
  const scratch_directory directory;
  const luq::plan wide{{{{"model.layers.0.mlp.up_proj", 512, 256}, {"model.layers.0.mlp.gate_proj", 512, 256}}},
                       {luq::parse_recipe("bcq2:g64")},
                       "by hand"};
  const auto file = directory.path() / "wide.json";
  std::ofstream(file, std::ios::binary) << luq::plan_to_json(wide);
  const std::string printed =
      run_export({.target = "tensor-type-file", .plan_file = file, .output = directory.path() / "types.txt"});
  CHECK(printed.starts_with("llama-quantize: model.layers.0.mlp.up_proj and 1 more: bcq2:g64: "));
  CHECK(printed.find("; list them as q2_k\n") != std::string::npos);
  CHECK(vlm_test::last_line(printed).ends_with("types of 2 tensors: q2_k\n"));
  const auto trellis = write_plan(directory, {"trellis4:g0"});
  const auto output = directory.path() / "refused.txt";
  check_fails(errc::unsupported, {"'model.layers.0.", "columns are not a multiple of 256", "q4_k"},
              [&] { (void)run_export({.target = "tensor-type-file", .plan_file = trellis, .output = output}); });
  CHECK(!std::filesystem::exists(output));
  const std::string given =
      run_export({.target = "tensor-type-file", .plan_file = trellis, .types = {"trellis4:g0=Q4_0"}, .output = output});
  CHECK(given == output.string() + ": " + std::to_string(std::filesystem::file_size(output)) +
                     " bytes: types of 84 tensors: q4_0\n");
}

TEST_CASE("options that a target needs, or has not") {
  const scratch_directory directory;
  const auto output = directory.path() / "out";
  const auto refuse = [&](vlm::export_options options, const std::vector<std::string>& fragments) {
    options.output = output;
    check_fails(errc::invalid_argument, fragments, [&] { (void)run_export(options); });
    CHECK(!std::filesystem::exists(output));
  };
  refuse({.target = "tensor-type-file"}, {"export --to tensor-type-file: expected --plan"});
  refuse({.target = "custom-q"}, {"expected --plan"});
  refuse({.target = "gguf"}, {"export --to gguf: expected --packed"});
  refuse({.target = "gptq"}, {"export --to gptq: expected --packed"});
  refuse({.target = "gguf", .plan_file = "p", .packed = "x"}, {"--plan is not used"});
  refuse({.target = "gptq", .packed = "x", .like = "y"}, {"export --to gptq: --like is not used"});
  refuse({.target = "imatrix", .packed = "x"}, {"--packed is not used"});
  refuse({.target = "gptq", .packed = "x", .types = {"a=b"}}, {"--type is not used"});
}

TEST_CASE("what cannot be read or written") {
  const scratch_directory directory;
  const auto plan = write_plan(directory, {"sign:g128"});
  check_fails(errc::io_failure, {"/absent/out", "no folder /absent"},
              [&] { (void)run_export({.target = "tensor-type-file", .plan_file = plan, .output = "/absent/out"}); });
  check_fails(errc::io_failure, {directory.path().string(), "cannot be written"},
              [&] { (void)run_export({.target = "tensor-type-file", .plan_file = plan, .output = directory.path()}); });
  check_fails(errc::io_failure, {"/absent: cannot be read"}, [&] {
    (void)run_export({.target = "custom-q", .plan_file = "/absent", .output = directory.path() / "out"});
  });
  for (const char* type : {"int4", "=q4_0", "int5=q4_0"}) {
    CAPTURE(type);
    check_fails(errc::invalid_argument, {}, [&] {
      (void)run_export({.target = "custom-q", .plan_file = plan, .types = {type}, .output = directory.path() / "out"});
    });
  }
  check_fails(errc::invalid_argument, {"'q9_9' is no type of ggml"}, [&] {
    (void)run_export({.target = "tensor-type-file",
                      .plan_file = plan,
                      .types = {"sign:g128=q9_9"},
                      .output = directory.path() / "out"});
  });
}
