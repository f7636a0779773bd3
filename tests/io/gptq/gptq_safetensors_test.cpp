// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/gptq/gptq_safetensors.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "codecs/random_coded_matrix.hpp"
#include "io/io_test_support.hpp"
#include "luq/io/safetensors/checkpoint.hpp"
#include "luq/io/safetensors/safetensors.hpp"
#include "luq/io/safetensors/safetensors_writer.hpp"

using luq::errc;
using luq::gptq_format;
using luq_test::check_fails;

namespace {

const std::string name = "model.layers.0.mlp.up_proj";

luq::gptq_tensors sample_tensors(luq::index group = 32) {
  return luq::make_gptq_tensors(
      luq_test::random_coded_matrix(luq::int_codec<3>{.group = group, .symmetric = true}, 64, 96, 1), gptq_format::v1);
}

/// Checks that a file of what `spoil` makes of the sample's tensors is refused.
void check_checkpoint_refused(errc code, const std::string& fragment,
                              const std::function<void(std::vector<luq::tensor_source>&)>& spoil) {
  const luq_test::scratch_directory scratch;
  const luq::gptq_tensors t = sample_tensors();
  auto sources = luq::gptq_tensor_sources(name, t);
  spoil(sources);
  luq::write_safetensors(scratch / "m.safetensors", sources);
  const luq::safetensors_reader file(scratch / "m.safetensors");
  check_fails(code, fragment, [&] { (void)luq::read_gptq_tensors(file, name, 3, 32, gptq_format::v1); });
}

}  // namespace

TEST_CASE("names, types and shapes of a linear's tensors") {
  const luq::gptq_tensors t = sample_tensors(64);
  const auto sources = luq::gptq_tensor_sources(name, t);
  const auto declarations = luq::gptq_declarations(name, 3, 64, 96, 64);
  REQUIRE(sources.size() == 4);
  REQUIRE(declarations.size() == 4);
  const std::vector<std::string> suffixes{".qweight", ".qzeros", ".scales", ".g_idx"};
  const std::vector<std::vector<luq::index>> shapes{{9, 64}, {2, 6}, {2, 64}, {96}};
  const std::vector<std::size_t> bytes{9 * 64 * 4, 2 * 6 * 4, 2 * 64 * 2, 96 * 4};
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(sources[i].declaration.name == name + suffixes[i]);
    CHECK(sources[i].declaration.shape == shapes[i]);
    CHECK(sources[i].declaration.dtype == (i == 2 ? luq::tensor_dtype::f16 : luq::tensor_dtype::i32));
    CHECK(sources[i].data.size() == bytes[i]);
    CHECK(declarations[i].name == sources[i].declaration.name);
    CHECK(declarations[i].shape == shapes[i]);
    CHECK(declarations[i].dtype == sources[i].declaration.dtype);
  }
  CHECK(luq::gptq_declarations(name, 4, 64, 96, luq::whole_row)[2].shape == std::vector<luq::index>{1, 64});
  check_fails(errc::invalid_argument, "got 65 x 96", [] { (void)luq::gptq_declarations(name, 3, 65, 96, 64); });
  check_fails(errc::invalid_argument, "got 5", [] { (void)luq::gptq_declarations(name, 5, 64, 96, 64); });
}

TEST_CASE("a linear comes back from a file as it was") {
  for (const luq::index group : {luq::whole_row, luq::index{32}, luq::index{64}, luq::index{128}}) {
    const luq_test::scratch_directory scratch;
    luq::gptq_tensors t = sample_tensors(group);
    std::swap(t.g_idx.front(), t.g_idx.back());
    luq::write_safetensors(scratch / "model.safetensors", luq::gptq_tensor_sources(name, t));
    const luq::safetensors_reader file(scratch / "model.safetensors");
    CHECK(luq::read_gptq_tensors(file, name, 3, group, gptq_format::v1) == t);
    const luq::checkpoint checkpoint(scratch.path());
    CHECK(luq::read_gptq_tensors(checkpoint, name, 3, group, gptq_format::v1) == t);
  }
}

TEST_CASE("without a g_idx groups are natural") {
  for (const luq::index group : {luq::whole_row, luq::index{32}, luq::index{64}}) {
    const luq_test::scratch_directory scratch;
    const luq::gptq_tensors t = sample_tensors(group);
    auto sources = luq::gptq_tensor_sources(name, t);
    sources.pop_back();
    luq::write_safetensors(scratch / "m.safetensors", sources);
    CHECK(luq::read_gptq_tensors(luq::safetensors_reader(scratch / "m.safetensors"), name, 3, group, gptq_format::v1) ==
          t);
  }
}

TEST_CASE("files that are not what their configuration says") {
  const luq_test::scratch_directory scratch;
  const luq::gptq_tensors t = sample_tensors();
  luq::write_safetensors(scratch / "m.safetensors", luq::gptq_tensor_sources(name, t));
  const luq::safetensors_reader file(scratch / "m.safetensors");
  const auto read = [&](unsigned bits, luq::index group) {
    return [&file, bits, group] { (void)luq::read_gptq_tensors(file, name, bits, group, gptq_format::v1); };
  };
  check_fails(errc::corrupt_file, "qweight: expected words in a multiple of 4 rows for 4 bits, got [9, 64]",
              read(4, 32));
  check_fails(errc::corrupt_file, "qweight: expected words in a multiple of 2 rows for 2 bits, got [9, 64]",
              read(2, 32));
  check_fails(errc::invalid_argument, "expected 2, 3, 4 or 8 bits, got 0", read(0, 32));
  check_fails(errc::invalid_argument, "expected 2, 3, 4 or 8 bits, got 9", read(9, 32));
  check_fails(errc::invalid_argument, "expected a group of at least 1 column, got -5", read(3, -5));
  check_fails(
      errc::corrupt_file,
      "gptq linear 'model.layers.0.mlp.up_proj': tensor 'model.layers.0.mlp.up_proj.qzeros': expected I32 [2, 6] "
      "for 3 bits and groups of 64, got I32 [3, 6]",
      read(3, 64));
  check_fails(errc::invalid_argument, "no tensor is named 'y.qweight'",
              [&] { (void)luq::read_gptq_tensors(file, "y", 3, 32, gptq_format::v1); });
}

TEST_CASE("each tensor is checked") {
  check_checkpoint_refused(errc::invalid_argument, "no tensor is named 'model.layers.0.mlp.up_proj.qzeros'",
                           [](auto& sources) { sources.erase(sources.begin() + 1); });
  check_checkpoint_refused(errc::invalid_argument, "no tensor is named 'model.layers.0.mlp.up_proj.scales'",
                           [](auto& sources) { sources.erase(sources.begin() + 2); });
  check_checkpoint_refused(errc::corrupt_file, "qweight: expected words in a multiple of 3 rows for 3 bits, got [576]",
                           [](auto& sources) { sources[0].declaration.shape = {576}; });
  check_checkpoint_refused(errc::corrupt_file, "got [0, 64]", [](auto& sources) {
    sources[0].declaration.shape = {0, 64};
    sources[0].data = {};
  });
  check_checkpoint_refused(errc::corrupt_file, "got [64, 9]",
                           [](auto& sources) { sources[0].declaration.shape = {64, 9}; });
  check_checkpoint_refused(errc::invalid_argument, "expected multiples of 32 outputs and inputs, got 48 x 128",
                           [](auto& sources) { sources[0].declaration.shape = {12, 48}; });
  check_checkpoint_refused(errc::corrupt_file,
                           "qweight': expected I32 [9, 64] for 3 bits and groups of 32, got U32 [9, 64]",
                           [](auto& sources) { sources[0].declaration.dtype = luq::tensor_dtype::u32; });
  check_checkpoint_refused(errc::corrupt_file,
                           "qzeros': expected I32 [3, 6] for 3 bits and groups of 32, got F32 [3, 6]",
                           [](auto& sources) { sources[1].declaration.dtype = luq::tensor_dtype::f32; });
  check_checkpoint_refused(errc::corrupt_file,
                           "scales': expected F16 [3, 64] for 3 bits and groups of 32, got BF16 [3, 64]",
                           [](auto& sources) { sources[2].declaration.dtype = luq::tensor_dtype::bf16; });
  check_checkpoint_refused(errc::corrupt_file,
                           "scales': expected F16 [3, 64] for 3 bits and groups of 32, got F16 [64, 3]",
                           [](auto& sources) { sources[2].declaration.shape = {64, 3}; });
  check_checkpoint_refused(errc::corrupt_file, "g_idx': expected I32 [96] for 3 bits and groups of 32, got I32 [96, 1]",
                           [](auto& sources) { sources[3].declaration.shape = {96, 1}; });
  const std::vector<std::int32_t> wrong(96, 3);
  check_checkpoint_refused(errc::corrupt_file, "g_idx of column 0: expected a group of 0 ... 2, got 3",
                           [&](auto& sources) { sources[3].data = std::as_bytes(std::span(wrong)); });
}

TEST_CASE("inconsistent tensors are not written") {
  luq::gptq_tensors t = sample_tensors();
  t.g_idx[0] = 7;
  check_fails(errc::corrupt_file, "g_idx of column 0", [&] { (void)luq::gptq_tensor_sources(name, t); });
}
