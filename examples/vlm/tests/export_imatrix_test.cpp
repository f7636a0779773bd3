// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The importance matrix of the embedded model, from a few of its calibration sequences.
#include <algorithm>
#include <cmath>
#include <luq/io/gguf/gguf.hpp>
#include <span>

#include "app/calibrate.hpp"
#include "export_test_support.hpp"
#include "program_run.hpp"

using vlm_test::check_fails;
using vlm_test::run_export;
using vlm_test::scratch_directory;

namespace {

std::vector<float> floats_of(const luq::gguf_reader& file, const std::string& name) {
  const std::span<const std::byte> bytes = file.bytes(name);
  std::vector<float> values(bytes.size() / sizeof(float));
  std::ranges::copy(bytes, std::as_writable_bytes(std::span(values)).begin());
  return values;
}

}  // namespace

TEST_CASE("sums of squares of every linear's inputs, over text and image tokens") {
  const scratch_directory directory;
  const auto output = directory.path() / "imatrix.gguf";
  vlm::settings s;
  s.model = vlm_test::embedded_model();
  s.calibration = vlm_test::embedded_data() / "calibration.safetensors";
  s.tokens = 400;
  s.clusters = 10;
  const std::string printed = run_export({.target = "imatrix", .output = output}, s);
  const luq::gguf_reader file(output);
  CHECK(file.value<std::string>("general.type") == "imatrix");
  CHECK(file.value<std::vector<std::string>>("imatrix.datasets") ==
        std::vector<std::string>{"calibration.safetensors"});
  CHECK(file.tensors().size() == 2 * 84);

  const vlm::calibration_set set = vlm::read_calibration_set(s.calibration);
  const auto sequences = vlm::mix_sequences(set, s.alpha, s.tokens);
  CHECK(file.value<std::uint32_t>("imatrix.chunk_count") == sequences.size());
  luq::index tokens = 0;
  for (const auto& sequence : sequences) tokens += sequence.valid_tokens();
  for (const char* name : {"blk.0.attn_q.weight", "blk.5.attn_output.weight", "blk.11.ffn_down.weight"}) {
    CAPTURE(name);
    CHECK(floats_of(file, std::string(name) + ".counts") == std::vector<float>{static_cast<float>(tokens)});
  }
  const std::vector<float> normalized = floats_of(file, "blk.0.attn_q.weight.in_sum2");
  REQUIRE(normalized.size() == 128);
  CHECK(normalized == floats_of(file, "blk.0.attn_v.weight.in_sum2"));
  CHECK(floats_of(file, "blk.0.ffn_down.weight.in_sum2").size() == 384);
  // A normalized token has features of mean square 1, times the norm's weights: their sum is known.
  const luq::checkpoint model(vlm_test::embedded_model());
  const auto weights = model.read_floats("language_model.model.layers.0.input_layernorm.weight");
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    sum += static_cast<double>(normalized[i]) / (static_cast<double>(weights[i]) * static_cast<double>(weights[i]));
  }
  CHECK(sum == doctest::Approx(128.0 * static_cast<double>(tokens)).epsilon(0.01));

  CHECK(printed.starts_with(output.string() + ": " + std::to_string(std::filesystem::file_size(output)) +
                            " bytes: importance matrix of 84 tensors over "));
  CHECK(printed.ends_with(" image tokens\n"));
}

TEST_CASE("--norm-clip weights the tokens of an importance matrix") {
  const scratch_directory directory;
  const auto sums_with = [&](const std::vector<std::string>& option) {
    const std::string output = (directory.path() / "imatrix.gguf").string();
    std::vector<std::string> arguments{"export",     "--to", "imatrix",  "--output", output,
                                       "--clusters", "10",   "--tokens", "400"};
    arguments.insert(arguments.end(), option.begin(), option.end());
    REQUIRE(vlm_test::run_program(arguments).exit_code == 0);
    return floats_of(luq::gguf_reader(output), "blk.3.ffn_down.weight.in_sum2");
  };
  const std::vector<float> by_default = sums_with({});
  CHECK(by_default == sums_with({"--norm-clip", "10"}));
  CHECK(by_default == sums_with({"--norm-clip", "0"}));  // no token of the embedded model's fourth layer is massive
  const std::vector<float> clipped = sums_with({"--norm-clip", "1"});

  const vlm::calibration_set set = vlm::read_calibration_set(vlm_test::embedded_data() / "calibration.safetensors");
  const vlm::calibration statistics = vlm::calibrate(vlm_test::tiny_model(), set, vlm::mix_sequences(set, 0.5, 400),
                                                     {.entropy = {}, .norm_clip = 1}, {});
  const luq::hessian& H = statistics.layers[3].hessian_of(vlm::decoder_linear::down);
  const luq::matrix matrix = H.matrix();
  REQUIRE(clipped.size() == static_cast<std::size_t>(matrix.rows()));
  double change = 0;
  for (std::size_t c = 0; c < clipped.size(); ++c) {
    const auto at = static_cast<luq::index>(c);
    CHECK(clipped[c] == doctest::Approx(0.5 * matrix(at, at) * static_cast<double>(H.tokens())));
    change = std::max(change, std::abs(static_cast<double>(clipped[c] / by_default[c]) - 1));
  }
  CHECK(change > 0.1);
}

TEST_CASE("too few tokens for an importance matrix") {
  const scratch_directory directory;
  vlm::settings s;
  s.model = vlm_test::embedded_model();
  s.calibration = vlm_test::embedded_data() / "calibration.safetensors";
  s.tokens = 100000000;
  check_fails(luq::errc::insufficient_data, {"expected 50000000 tokens"},
              [&] { (void)run_export({.target = "imatrix", .output = directory.path() / "imatrix.gguf"}, s); });
  CHECK(!std::filesystem::exists(directory.path() / "imatrix.gguf"));
}
