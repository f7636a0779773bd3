// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/safetensors/checkpoint.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/io_test_support.hpp"
#include "luq/io/safetensors/safetensors_writer.hpp"

using luq::errc;
using luq_test::check_fails;

namespace {

void write_floats(const std::filesystem::path& path,
                  const std::vector<std::pair<std::string, std::vector<float>>>& tensors) {
  std::vector<luq::tensor_source> sources;
  for (const auto& [name, values] : tensors) {
    sources.push_back(luq::make_tensor_source<float>(name, {static_cast<luq::index>(values.size())}, values));
  }
  luq::write_safetensors(path, sources);
}

/// Two shards with a and b, and c.
void write_shards(const luq_test::scratch_directory& directory) {
  write_floats(directory / "model-00001-of-00002.safetensors", {{"a", {1, 2}}, {"b", {3}}});
  write_floats(directory / "model-00002-of-00002.safetensors", {{"c", {4, 5, 6}}});
}

void write_index(const luq_test::scratch_directory& directory, const std::string& text) {
  luq_test::write_text(directory / "model.safetensors.index.json", text);
}

constexpr std::string_view good_index =
    R"({"metadata": {"total_size": 12345}, "weight_map": {"c": "model-00002-of-00002.safetensors",)"
    R"( "a": "model-00001-of-00002.safetensors", "b": "model-00001-of-00002.safetensors"}})";

void check_tensors(const luq::checkpoint& model) {
  CHECK(model.names() == std::vector<std::string>{"a", "b", "c"});
  CHECK(model.contains("a"));
  CHECK_FALSE(model.contains("d"));
  CHECK(model.read_floats("a") == std::vector<float>{1, 2});
  CHECK(model.read_floats("b") == std::vector<float>{3});
  CHECK(model.read_matrix("c")(0, 2) == 6.0f);
  CHECK(model.shape("c") == std::vector<luq::index>{3});
  CHECK((model.info("c").dtype == luq::tensor_dtype::f32));
  CHECK(model.bytes("b").size() == 4);
  std::vector<float> target(2);
  model.read_floats_into("a", target, {.require_finite = true});
  CHECK(target == std::vector<float>{1, 2});
  check_fails(errc::invalid_argument, "no tensor is named 'd'", [&] { static_cast<void>(model.read_floats("d")); });
  check_fails(errc::unsupported, "expected integers, got F32",
              [&] { static_cast<void>(model.read_integers<std::int32_t>("a")); });
}

TEST_CASE("a model in one file") {
  const luq_test::scratch_directory directory;
  write_floats(directory / "model.safetensors", {{"c", {4, 5, 6}}, {"a", {1, 2}}, {"b", {3}}});
  const luq::checkpoint model(directory.path());
  CHECK(model.shards().size() == 1);
  check_tensors(model);
  write_index(directory, "not even JSON");  // not looked at while model.safetensors exists
  check_tensors(luq::checkpoint(directory.path()));
}

TEST_CASE("a model in two files") {
  const luq_test::scratch_directory directory;
  write_shards(directory);
  write_index(directory, std::string(good_index));
  luq::checkpoint model(directory.path());
  CHECK(model.shards().size() == 2);
  check_tensors(model);
  CHECK(model.shard_of("b").source() == (directory / "model-00001-of-00002.safetensors").string());
  const luq::checkpoint moved = std::move(model);
  check_tensors(moved);
}

TEST_CASE("the files of a model, each once, before they are opened") {
  const luq_test::scratch_directory directory;
  write_index(directory, std::string(good_index));
  const std::vector<std::filesystem::path> shards{directory / "model.safetensors.index.json",
                                                  directory / "model-00001-of-00002.safetensors",
                                                  directory / "model-00002-of-00002.safetensors"};
  CHECK(luq::checkpoint_files(directory.path()) == shards);
  luq_test::write_text(directory / "model.safetensors", "");
  CHECK(luq::checkpoint_files(directory.path()) == std::vector{directory / "model.safetensors"});
  check_fails(errc::io_failure, "expected a model directory, got nothing of that name",
              [&] { static_cast<void>(luq::checkpoint_files(directory / "none")); });
}

TEST_CASE("the index may leave out metadata, and tensors of a shard, which are there all the same") {
  const luq_test::scratch_directory directory;
  write_shards(directory);
  write_index(directory, R"({"weight_map": {"a": "model-00001-of-00002.safetensors"}})");
  const luq::checkpoint model(directory.path());
  CHECK(model.names() == std::vector<std::string>{"a", "b"});
  CHECK(model.read_floats("b") == std::vector<float>{3});
  CHECK_FALSE(model.contains("c"));  // of a file that the index does not name
  check_fails(errc::invalid_argument, "no tensor is named 'c'", [&] { static_cast<void>(model.info("c")); });
}

TEST_CASE("a directory without a model") {
  const luq_test::scratch_directory directory;
  check_fails(errc::io_failure, "holds neither model.safetensors nor model.safetensors.index.json",
              [&] { luq::checkpoint model(directory.path()); });
  check_fails(errc::io_failure, "expected a model directory, got nothing of that name",
              [&] { luq::checkpoint model(directory / "none"); });
  luq_test::write_text(directory / "file", "");
  check_fails(errc::io_failure, "expected a model directory, got something else",
              [&] { luq::checkpoint model(directory / "file"); });
}

TEST_CASE("an index that is wrong or dangerous is refused with its reason") {
  struct row {
    std::string index;
    errc code;
    std::string_view fragment;
  };
  const auto with_shard = [](const std::string& shard) { return R"({"weight_map": {"a": ")" + shard + R"("}})"; };
  const std::string first = "\"model-00001-of-00002.safetensors\"";
  const std::string second = "\"model-00002-of-00002.safetensors\"";
  constexpr errc corrupt = errc::corrupt_file;
  const std::vector<row> rows = {
      {"", corrupt, "invalid JSON"},
      {"[]", corrupt, "expected an object with an object weight_map"},
      {"{}", corrupt, "expected an object with an object weight_map"},
      {R"({"weight_map": []})", corrupt, "expected an object with an object weight_map"},
      {R"({"weight_map": {}})", corrupt, "weight_map is empty"},
      {R"({"weight_map": {"a": 1}})", corrupt, "tensor 'a': expected a file name, got number"},
      {R"({"weight_map": {"a": null}})", corrupt, "tensor 'a': expected a file name, got null"},
      {R"({"weight_map": {"a": )" + first + R"(, "a": )" + second + "}}", corrupt, "duplicate key 'a'"},
      {R"({"weight_map": {}, "weight_map": {"a": )" + first + "}}", corrupt, "duplicate key 'weight_map'"},
      {with_shard(""), corrupt, "expected a plain .safetensors file name, got ''"},
      {with_shard("/etc/passwd"), corrupt, "expected a plain .safetensors file name"},
      {with_shard("/tmp/x.safetensors"), corrupt, "expected a plain .safetensors file name"},
      {with_shard("../x.safetensors"), corrupt, "expected a plain .safetensors file name"},
      {with_shard("sub/x.safetensors"), corrupt, "expected a plain .safetensors file name"},
      {with_shard("..\\\\x.safetensors"), corrupt, "expected a plain .safetensors file name"},
      {with_shard("C:x.safetensors"), corrupt, "expected a plain .safetensors file name"},
      {with_shard("...safetensors"), corrupt, "expected a plain .safetensors file name"},
      {with_shard("x\\u0000.safetensors"), corrupt, R"(got 'x\x00.safetensors')"},
      {with_shard("x.bin"), corrupt, "expected a plain .safetensors file name, got 'x.bin'"},
      {with_shard(std::string(300, 'x') + ".safetensors"), corrupt, "expected a plain .safetensors file name"},
      {with_shard("none.safetensors"), errc::io_failure, "none.safetensors: cannot open"},
      {R"({"weight_map": {"c": )" + first + "}}", corrupt, "'c' is not in model-00001-of-00002.safetensors"},
      {R"({"weight_map": {"a": )" + first + R"(, "d": )" + second + "}}", corrupt,
       "tensor 'd' is not in model-00002-of-00002.safetensors"},
      {with_shard("corrupt.safetensors"), corrupt, "corrupt.safetensors: expected at least 8 bytes, got 3"},
      {R"({"weight_map": {"a": )" + first + R"(, "e": "twin.safetensors"}})", corrupt,
       "tensor 'a' is in both model-00001-of-00002.safetensors and twin.safetensors"},
      {R"({"weight_map": {"b": )" + first + R"(, "e": "twin.safetensors"}})", corrupt, "tensor 'a' is in both"},
  };
  for (const row& row : rows) {
    CAPTURE(row.index);
    const luq_test::scratch_directory directory;
    write_shards(directory);
    luq_test::write_text(directory / "corrupt.safetensors", "abc");
    write_floats(directory / "twin.safetensors", {{"a", {1, 2}}, {"e", {7}}});
    write_index(directory, row.index);
    check_fails(row.code, row.fragment, [&] { luq::checkpoint model(directory.path()); });
  }
}

}  // namespace
