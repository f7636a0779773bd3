// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/safetensors/safetensors_writer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/io_test_support.hpp"
#include "io/safetensors/reference_content.hpp"
#include "luq/core/random.hpp"
#include "luq/io/safetensors/safetensors.hpp"

using luq::errc;
using luq::tensor_declaration;
using luq::tensor_dtype;
using luq_test::bytes_of;
using luq_test::check_fails;
using luq_test::read_text;

namespace {

std::vector<luq::tensor_source> sources_of(const std::vector<luq_test::reference_tensor>& tensors) {
  std::vector<luq::tensor_source> sources;
  for (const luq_test::reference_tensor& tensor : tensors) {
    sources.push_back({{tensor.name, tensor.dtype, tensor.shape}, bytes_of(tensor.data)});
  }
  return sources;
}

TEST_CASE("the bytes are those of the reference implementation, in whatever order tensors are given") {
  const luq_test::scratch_directory scratch;
  const std::string expected = read_text(luq_test::data_file("reference_types.safetensors"));
  const std::vector<luq_test::reference_tensor> tensors = luq_test::reference_tensors();
  std::vector<luq::tensor_source> sources = sources_of(tensors);
  const auto metadata = luq_test::reference_metadata();
  luq::write_safetensors(scratch / "a", sources, metadata);
  CHECK(read_text(scratch / "a") == expected);
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    std::vector<luq::tensor_source> shuffled;
    const auto count = static_cast<luq::index>(sources.size());
    for (const luq::index i : luq::random_permutation(count, luq::counter_rng(seed))) {
      shuffled.push_back(sources[static_cast<std::size_t>(i)]);
    }
    luq::write_safetensors(scratch / "a", shuffled, metadata);
    CHECK(read_text(scratch / "a") == expected);
  }
  luq::write_safetensors(scratch / "empty", {});
  CHECK(read_text(scratch / "empty") == read_text(luq_test::data_file("reference_empty.safetensors")));
  CHECK(scratch.size() == 2);
}

TEST_CASE("tensors may be written in any order, each once, and the layout is known beforehand") {
  const luq_test::scratch_directory scratch;
  const std::vector<luq_test::reference_tensor> tensors = luq_test::reference_tensors();
  std::vector<tensor_declaration> declarations;
  for (const auto& tensor : tensors) declarations.push_back({tensor.name, tensor.dtype, tensor.shape});
  const auto metadata = luq_test::reference_metadata();
  const luq::safetensors_layout layout = luq::make_safetensors_layout(declarations, metadata);

  luq::safetensors_writer writer(scratch / "a", declarations, metadata);
  CHECK(writer.layout().header == layout.header);
  for (auto tensor = tensors.rbegin(); tensor != tensors.rend(); ++tensor) {
    if (tensor->name != "empty") writer.write(tensor->name, bytes_of(tensor->data));
  }
  CHECK_FALSE(std::filesystem::exists(scratch / "a"));
  writer.commit();
  const std::string expected = read_text(luq_test::data_file("reference_types.safetensors"));
  CHECK(read_text(scratch / "a") == expected);
  CHECK(layout.file_bytes() == expected.size());
  CHECK(expected.starts_with(layout.header));
}

TEST_CASE("metadata keys are written in ascending order") {
  const luq::safetensors_layout layout =
      luq::make_safetensors_layout({{"t", tensor_dtype::u8, {1}}}, {{"b", "2"}, {"a", "1"}, {"B", "3"}});
  CHECK(layout.header.substr(8) ==
        R"({"__metadata__":{"B":"3","a":"1","b":"2"},"t":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}  )");
}

TEST_CASE("what is written is read back: random types, shapes, names and metadata") {
  const luq_test::scratch_directory scratch;
  constexpr auto dtype_count = static_cast<std::uint64_t>(tensor_dtype::unknown);
  for (std::uint64_t trial = 0; trial < 60; ++trial) {
    CAPTURE(trial);
    const luq::counter_rng rng(trial, 1);
    std::uint64_t draws = 0;
    const auto draw = [&](std::uint64_t bound) { return rng.below(draws++, bound); };

    std::vector<luq_test::reference_tensor> tensors;
    const std::uint64_t count = draw(30);
    for (std::uint64_t t = 0; t < count; ++t) {
      luq_test::reference_tensor tensor;
      tensor.name = std::to_string(t);
      for (std::uint64_t n = draw(6); n > 0; --n) {
        constexpr std::string_view pieces[] = {"a", "Z", ".", "\"", "\\", "/", " ", "\xC3\xA9", "\xF0\x9F\x98\x80"};
        tensor.name += pieces[draw(std::size(pieces))];
      }
      tensor.dtype = static_cast<tensor_dtype>(draw(dtype_count));
      const std::uint64_t rank = draw(5);
      for (std::uint64_t r = 0; r < rank; ++r) tensor.shape.push_back(static_cast<luq::index>(draw(6)));
      if (luq::dtype_bits(tensor.dtype) % 8 != 0) tensor.shape.push_back(4);  // whole bytes
      std::uint64_t bits = luq::dtype_bits(tensor.dtype);
      for (const luq::index extent : tensor.shape) bits *= static_cast<std::uint64_t>(extent);
      for (std::uint64_t b = 0; b < bits / 8; ++b) tensor.data += static_cast<char>(draw(256));
      tensors.push_back(std::move(tensor));
    }
    std::map<std::string, std::string> metadata;
    for (std::uint64_t m = draw(4); m > 0; --m) {
      metadata[std::to_string(draw(100)) + "\n\"k"] = std::string(draw(20), '\x01') + "\xE2\x82\xAC";
    }

    const std::vector<luq::tensor_source> sources = sources_of(tensors);
    luq::write_safetensors(scratch / "a", sources, metadata);
    const luq::safetensors_reader reader(scratch / "a");
    CHECK(reader.metadata() == metadata);
    REQUIRE(reader.tensors().size() == tensors.size());
    CHECK(reader.header_bytes() % 8 == 0);
    for (const luq_test::reference_tensor& tensor : tensors) {
      CAPTURE(tensor.name);
      REQUIRE(reader.contains(tensor.name));
      const luq::tensor_info& info = reader.info(tensor.name);
      CHECK((info.dtype == tensor.dtype));
      CHECK(info.shape == tensor.shape);
      const std::uint64_t alignment = std::max<std::uint64_t>(luq::dtype_bits(info.dtype) / 8, 1);
      CHECK((reader.header_bytes() + info.begin) % alignment == 0);
      CHECK(std::ranges::equal(reader.bytes(tensor.name), bytes_of(tensor.data)));
    }
    std::vector<tensor_declaration> declarations;
    for (const luq::tensor_source& source : sources) declarations.push_back(source.declaration);
    CHECK(luq::make_safetensors_layout(declarations, metadata).file_bytes() == reader.file_bytes());
  }
}

TEST_CASE("arrays of C++ types become tensors of their type") {
  const luq_test::scratch_directory scratch;
  const std::vector<float> floats = {1.5f, -2.0f, 0.25f};
  const std::vector<luq::bfloat16> bfloats = {luq::bfloat16(3.0f)};
  const std::vector<std::int64_t> integers = {-5, 7};
  luq::write_safetensors(scratch / "a",
                         std::vector<luq::tensor_source>{luq::make_tensor_source<float>("f", {1, 3}, floats),
                                                         luq::make_tensor_source<luq::bfloat16>("b", {}, bfloats),
                                                         luq::make_tensor_source<std::int64_t>("i", {2}, integers)});
  const luq::safetensors_reader reader(scratch / "a");
  CHECK(reader.read_floats("f") == floats);
  CHECK(reader.read_floats("b") == std::vector<float>{3.0f});
  CHECK(reader.read_integers<>("i") == integers);
}

TEST_CASE("what no reader would accept is not written") {
  const auto layout_of = [](std::vector<tensor_declaration> declarations,
                            const std::map<std::string, std::string>& metadata = {},
                            const luq::safetensors_limits& limits = {}) {
    static_cast<void>(luq::make_safetensors_layout(std::move(declarations), metadata, limits));
  };
  constexpr errc invalid = errc::invalid_argument;
  constexpr tensor_dtype f32 = tensor_dtype::f32;
  constexpr luq::index most = (luq::index{1} << 53) - 1;
  check_fails(invalid, "empty name", [&] { layout_of({{"", f32, {1}}}); });
  check_fails(invalid, R"('a\x0a': the name holds a control character)", [&] { layout_of({{"a\n", f32, {1}}}); });
  check_fails(invalid, "the name has 1025 bytes", [&] { layout_of({{std::string(1025, 'n'), f32, {1}}}); });
  check_fails(invalid, "cannot be named __metadata__", [&] { layout_of({{"__metadata__", f32, {1}}}); });
  check_fails(invalid, "is not UTF-8", [&] { layout_of({{"\xFF", f32, {1}}}); });
  check_fails(invalid, "is not UTF-8", [&] { layout_of({}, {{"a", "\xC0\x80"}}); });
  check_fails(invalid, "is not UTF-8", [&] { layout_of({}, {{"\xED\xA0\x80", "a"}}); });
  check_fails(invalid, "'a': unknown element type", [&] { layout_of({{"a", tensor_dtype::unknown, {1}}}); });
  check_fails(invalid, "has an extent outside", [&] { layout_of({{"a", f32, {2, -1}}}); });
  check_fails(invalid, "has an extent outside", [&] { layout_of({{"a", f32, {most + 1, 0}}}); });
  check_fails(invalid, "overflows", [&] { layout_of({{"a", f32, {most, most}}}); });
  check_fails(invalid, "the data exceed 2^53 - 1 bytes", [&] { layout_of({{"a", f32, {most}}}); });
  check_fails(invalid, "the data exceed", [&] { layout_of({{"a", tensor_dtype::u8, {most}}, {"b", f32, {1}}}); });
  check_fails(invalid, "are not a whole number of bytes", [&] { layout_of({{"a", tensor_dtype::f4, {3}}}); });
  check_fails(invalid, "the shape has 65 extents",
              [&] { layout_of({{"a", f32, std::vector<luq::index>(65, luq::index{1})}}); });
  check_fails(invalid, "two tensors are named 'a'",
              [&] { layout_of({{"a", f32, {1}}, {"b", f32, {1}}, {"a", tensor_dtype::u8, {1}}}); });
  check_fails(invalid, "2 tensors exceed the limit of 1",
              [&] { layout_of({{"a", f32, {1}}, {"b", f32, {1}}}, {}, {.tensors = 1}); });
  check_fails(invalid, "the header has 56 bytes, the limit is 48",
              [&] { layout_of({{"a", f32, {1}}}, {}, {.header_bytes = 48}); });
  CHECK_NOTHROW(layout_of({{"a", f32, {1}}}, {}, {.header_bytes = 56}));
}

TEST_CASE("misuse of the writer is an error, the old file stays and nothing is left over") {
  const luq_test::scratch_directory scratch;
  const std::filesystem::path path = scratch / "a";
  luq_test::write_text(path, "old content");
  const std::vector<tensor_declaration> declarations = {{"x", tensor_dtype::f32, {2}}, {"y", tensor_dtype::u8, {3}}};
  const std::string eight(8, '1');
  const std::string three(3, '2');
  check_fails(errc::invalid_argument, "tensor 'z' is not declared or already written", [&] {
    luq::safetensors_writer writer(path, declarations);
    writer.write("z", {});
  });
  check_fails(errc::invalid_argument, "tensor 'x' is not declared or already written", [&] {
    luq::safetensors_writer writer(path, declarations);
    writer.write("x", bytes_of(eight));
    writer.write("x", bytes_of(eight));
  });
  check_fails(errc::shape_mismatch, "tensor 'x': expected 8 bytes for F32 [2], got 3", [&] {
    luq::safetensors_writer writer(path, declarations);
    writer.write("x", bytes_of(three));
  });
  check_fails(errc::insufficient_data, "tensor 'y' was declared but not written", [&] {
    luq::safetensors_writer writer(path, declarations);
    writer.write("x", bytes_of(eight));
    writer.commit();
  });
  check_fails(errc::shape_mismatch, "got 8", [&] {
    const std::vector<luq::tensor_source> sources = {{declarations[0], bytes_of(eight)},
                                                     {declarations[1], bytes_of(eight)}};
    luq::write_safetensors(path, sources);
  });
  check_fails(errc::io_failure, "cannot create a temporary file",
              [&] { luq::write_safetensors(scratch / "none" / "a", {}); });
  CHECK(read_text(path) == "old content");
  CHECK(scratch.size() == 1);
}

TEST_CASE("a file may be replaced while it is being read") {
  const luq_test::scratch_directory scratch;
  const std::vector<float> old_values(10'000, 1.0f);
  const std::vector<float> new_values(10, 2.0f);
  luq::write_safetensors(scratch / "a",
                         std::vector<luq::tensor_source>{luq::make_tensor_source<float>("x", {10'000}, old_values)});
  const luq::safetensors_reader reader(scratch / "a");
  luq::write_safetensors(scratch / "a",
                         std::vector<luq::tensor_source>{luq::make_tensor_source<float>("x", {10}, new_values)});
  CHECK(reader.read_floats("x") == old_values);
  CHECK(luq::safetensors_reader(scratch / "a").read_floats("x") == new_values);
}

}  // namespace
