// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/gguf/gguf_writer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "io/gguf/gguf_reference.hpp"
#include "io/io_test_support.hpp"
#include "luq/core/random.hpp"
#include "luq/io/files/detail/input_file.hpp"
#include "luq/io/gguf/gguf.hpp"

using luq::errc;
using luq::ggml_type;
using luq::gguf_declaration;
using luq_test::bytes_of;
using luq_test::check_fails;
using luq_test::read_text;

namespace {

std::vector<luq::gguf_source> gguf_sources_of(const std::vector<luq_test::gguf_reference_tensor>& tensors) {
  std::vector<luq::gguf_source> sources;
  for (const auto& tensor : tensors) {
    sources.push_back({{tensor.name, tensor.type, tensor.shape}, bytes_of(tensor.data)});
  }
  return sources;
}

TEST_CASE("the bytes are those of the reference implementation") {
  const luq_test::scratch_directory scratch;
  const auto tensors = luq_test::gguf_reference_tensors();
  luq::write_gguf(scratch / "a", gguf_sources_of(tensors), luq_test::gguf_reference_metadata());
  CHECK(read_text(scratch / "a") == luq_test::gguf_reference());
  CHECK(scratch.size() == 1);
}

TEST_CASE("tensors may be written in any order, each once, and the layout is known beforehand") {
  const luq_test::scratch_directory scratch;
  const auto tensors = luq_test::gguf_reference_tensors();
  std::vector<gguf_declaration> declarations;
  for (const auto& tensor : tensors) declarations.push_back({tensor.name, tensor.type, tensor.shape});
  declarations.push_back({"empty", ggml_type::f16, {0, 7}});
  const luq::gguf_layout layout = luq::make_gguf_layout(declarations);
  CHECK(layout.data_bytes() == 160);
  CHECK(layout.tensors[1].begin == 32);
  CHECK(layout.tensors[1].end == 104);
  CHECK(layout.tensors[3].begin == 160);

  luq::gguf_writer writer(scratch / "a", declarations);
  CHECK(writer.layout().header == layout.header);
  for (auto tensor = tensors.rbegin(); tensor != tensors.rend(); ++tensor) {
    writer.write(tensor->name, bytes_of(tensor->data));
  }
  CHECK_FALSE(std::filesystem::exists(scratch / "a"));
  writer.commit();
  const luq::gguf_reader reader(scratch / "a");
  CHECK(reader.file_bytes() == layout.file_bytes());
  CHECK(reader.header_bytes() == layout.header.size());
  for (const auto& tensor : tensors) CHECK(std::ranges::equal(reader.bytes(tensor.name), bytes_of(tensor.data)));
  CHECK(reader.bytes("empty").empty());
}

TEST_CASE("what is written is read back: random types, shapes, alignments and values") {
  const luq_test::scratch_directory scratch;
  for (std::uint64_t trial = 0; trial < 60; ++trial) {
    CAPTURE(trial);
    const luq::counter_rng rng(trial, 1);
    std::uint64_t draws = 0;
    const auto draw = [&](std::uint64_t bound) { return rng.below(draws++, bound); };

    std::vector<luq::gguf_entry> metadata;
    const auto reference = luq_test::gguf_reference_metadata();
    for (std::uint64_t m = draw(12); m > 0; --m) {
      const char* const name = trial % 2 == 0 ? "key." : "\xC3\xA9\xFF\n";
      metadata.push_back({name + std::to_string(m), reference[draw(reference.size())].value});
    }
    const std::uint64_t alignment = trial % 3 == 0 ? 32 : std::uint64_t{1} << draw(9);
    if (trial % 3 != 0) metadata.push_back({"general.alignment", static_cast<std::uint32_t>(alignment)});

    std::vector<luq_test::gguf_reference_tensor> tensors;
    for (std::uint64_t t = draw(20); t > 0; --t) {
      const auto& facts = luq::ggml_type_table[draw(luq::ggml_type_table.size())];
      luq_test::gguf_reference_tensor tensor{"t" + std::to_string(t), facts.type, {}, {}};
      std::uint64_t blocks = 1;
      for (std::uint64_t r = draw(4); r > 0; --r) {
        tensor.shape.push_back(static_cast<luq::index>(draw(4)));
        blocks *= static_cast<std::uint64_t>(tensor.shape.back());
      }
      tensor.shape.push_back(static_cast<luq::index>(2 * facts.block_weights));
      for (std::uint64_t b = 0; b < 2 * blocks * facts.block_bytes; ++b) {
        tensor.data += static_cast<char>(draw(256));
      }
      tensors.push_back(std::move(tensor));
    }
    luq::write_gguf(scratch / "a", gguf_sources_of(tensors), metadata);
    const luq::gguf_reader reader(scratch / "a");
    CHECK(reader.alignment() == alignment);
    CHECK(reader.file_bytes() % alignment == 0);
    REQUIRE(reader.metadata().size() == metadata.size());
    for (std::size_t i = 0; i < metadata.size(); ++i) {
      CHECK(reader.metadata()[i].key == metadata[i].key);
      CHECK((reader.metadata()[i].value == metadata[i].value));
    }
    REQUIRE(reader.tensors().size() == tensors.size());
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      CHECK(reader.tensors()[i].name == tensors[i].name);
      CHECK((reader.tensors()[i].type == tensors[i].type));
      CHECK(reader.tensors()[i].shape == tensors[i].shape);
      CHECK(std::ranges::equal(reader.bytes(tensors[i].name), bytes_of(tensors[i].data)));
    }
  }
}

TEST_CASE("what no reader would accept is not written") {
  const auto layout_of = [](std::vector<gguf_declaration> declarations,
                            const std::vector<luq::gguf_entry>& metadata = {}) {
    static_cast<void>(luq::make_gguf_layout(std::move(declarations), metadata));
  };
  constexpr errc invalid = errc::invalid_argument;
  constexpr ggml_type f32 = ggml_type::f32;
  check_fails(invalid, "a key is empty", [&] { layout_of({}, {{"", true}}); });
  check_fails(invalid, "key 'a\\x00' holds a zero byte", [&] { layout_of({}, {{std::string("a\0", 2), true}}); });
  check_fails(invalid, "duplicate key 'a'", [&] { layout_of({}, {{"a", true}, {"b", true}, {"a", 1.0}}); });
  check_fails(invalid, "power of two, got 12", [&] { layout_of({}, {{"general.alignment", std::uint32_t{12}}}); });
  check_fails(invalid, "power of two, got i32", [&] { layout_of({}, {{"general.alignment", 32}}); });
  check_fails(invalid, "a tensor has an empty name", [&] { layout_of({{"", f32, {1}}}); });
  check_fails(invalid, "the name has 64 bytes", [&] { layout_of({{std::string(64, 'n'), f32, {1}}}); });
  check_fails(invalid, "the name holds a control character", [&] { layout_of({{"a\t", f32, {1}}}); });
  check_fails(invalid, "duplicate tensor name 'a'", [&] { layout_of({{"a", f32, {1}}, {"a", f32, {1}}}); });
  check_fails(invalid, "tensor 'a': unknown ggml type 31",
              [&] { layout_of({{"a", static_cast<ggml_type>(31), {1}}}); });
  check_fails(invalid, "has more than 4 extents", [&] { layout_of({{"a", f32, {1, 1, 1, 1, 1}}}); });
  check_fails(invalid, "is negative", [&] { layout_of({{"a", f32, {2, -1}}}); });
  constexpr luq::index most = std::numeric_limits<luq::index>::max();
  check_fails(invalid, "overflows", [&] { layout_of({{"a", f32, {most}}}); });
  check_fails(invalid, "overflow", [&] { layout_of({{"a", f32, {most - 1}}}); });
  check_fails(invalid, "the data exceed 2^62 bytes", [&] { layout_of({{"a", f32, {(most >> 2) + 1}}}); });
  check_fails(invalid, "the data exceed",
              [&] { layout_of({{"a", ggml_type::i8, {most >> 1}}, {"b", ggml_type::i8, {64}}}); });
  check_fails(invalid, "rows of 130 weights are not a multiple of 128, the block of q1_0",
              [&] { layout_of({{"a", ggml_type::q1_0, {2, 130}}}); });
}

#if LUQ_IO_HAS_POSIX

TEST_CASE("a file for which there is no space is refused before any tensor is written") {
  const luq_test::scratch_directory scratch;
  const luq_test::file_size_limit limit(4096);
  check_fails(errc::io_failure, "a: cannot reserve ",
              [&] { luq::gguf_writer writer(scratch / "a", {{"large", ggml_type::f32, {10'000}}}); });
  CHECK(scratch.size() == 0);
}

#endif

TEST_CASE("misuse of the writer is an error, the old file stays and nothing is left over") {
  const luq_test::scratch_directory scratch;
  const std::filesystem::path path = scratch / "a";
  luq_test::write_text(path, "old content");
  const std::vector<gguf_declaration> declarations = {{"x", ggml_type::f32, {2}}, {"y", ggml_type::i8, {3}}};
  const std::string eight(8, '1');
  const std::string three(3, '2');
  check_fails(errc::invalid_argument, "tensor 'z' is not declared or already written", [&] {
    luq::gguf_writer writer(path, declarations);
    writer.write("z", {});
  });
  check_fails(errc::invalid_argument, "tensor 'x' is not declared or already written", [&] {
    luq::gguf_writer writer(path, declarations);
    writer.write("x", bytes_of(eight));
    writer.write("x", bytes_of(eight));
  });
  check_fails(errc::shape_mismatch, "tensor 'x': expected 8 bytes for f32 [2], got 3", [&] {
    luq::gguf_writer writer(path, declarations);
    writer.write("x", bytes_of(three));
  });
  check_fails(errc::insufficient_data, "tensor 'y' was declared but not written", [&] {
    luq::gguf_writer writer(path, declarations);
    writer.write("x", bytes_of(eight));
    writer.commit();
  });
  check_fails(errc::io_failure, "missing/a: cannot", [&] { luq::write_gguf(scratch / "missing/a", {}); });
  CHECK(read_text(path) == "old content");
  CHECK(scratch.size() == 1);
}

}  // namespace
