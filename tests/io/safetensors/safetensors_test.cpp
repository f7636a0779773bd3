// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/safetensors/safetensors.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/io_test_support.hpp"
#include "io/safetensors/reference_content.hpp"
#include "luq/io/files/detail/input_file.hpp"

using luq::errc;
using luq_test::bytes_of;
using luq_test::check_fails;
using luq_test::file_with_header;
using luq_test::length_field;

namespace {

luq::safetensors_reader open_reference_values() {
  return luq::safetensors_reader(luq_test::data_file("reference_values.safetensors"));
}

/// Opens a file given as its bytes.
luq::safetensors_reader open_bytes(const std::string& file, const luq::safetensors_limits& limits = {}) {
  return luq::safetensors_reader(bytes_of(file), "x.safetensors", limits);
}

/// {"a": an F32 [2, 3], "b": a U8 [2]} and one metadata entry: small, but with every construct of the format.
std::string small_file() {
  std::string header = R"({"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
                       R"("b":{"dtype":"U8","shape":[2],"data_offsets":[24,26]}})";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  std::string file = file_with_header(header);
  for (int i = 0; i < 26; ++i) file += static_cast<char>(i);
  return file;
}

/// Whether read() returns `count`, or throws luq::error for a reason that lies in the tensor's values, type or rank.
template <class Read>
bool elements_or_refusal(Read&& read, std::size_t count) {
  try {
    return static_cast<std::size_t>(read()) == count;
  } catch (const luq::error& failure) {
    return failure.code() == errc::unsupported || failure.code() == errc::corrupt_file ||
           failure.code() == errc::shape_mismatch;
  }
}

/// Reads everything that can be read, and checks what must hold of any accepted file.
void check_consistency(const luq::safetensors_reader& reader) {
  std::uint64_t position = 0;
  for (const luq::tensor_info& tensor : reader.tensors()) {
    REQUIRE(tensor.begin == position);
    REQUIRE(tensor.end >= tensor.begin);
    position = tensor.end;
    REQUIRE(&reader.info(tensor.name) == &tensor);
    if (tensor.dtype == luq::tensor_dtype::unknown) {
      check_fails(errc::unsupported, "unknown element type", [&] { static_cast<void>(reader.bytes(tensor.name)); });
      check_fails(errc::unsupported, "unknown", [&] { static_cast<void>(reader.read_floats(tensor.name)); });
      check_fails(errc::unsupported, "unknown", [&] { static_cast<void>(reader.read_matrix(tensor.name)); });
      check_fails(errc::unsupported, "unknown", [&] { static_cast<void>(reader.read_integers<>(tensor.name)); });
      continue;
    }
    REQUIRE(static_cast<std::uint64_t>(tensor.size()) * luq::dtype_bits(tensor.dtype) == 8 * tensor.bytes());
    const std::span<const std::byte> bytes = reader.bytes(tensor.name);
    REQUIRE(bytes.size() == tensor.bytes());
    unsigned sum = 0;
    for (const std::byte byte : bytes) sum += std::to_integer<unsigned>(byte);
    REQUIRE(sum <= 255 * bytes.size());
    const auto count = static_cast<std::size_t>(tensor.size());
    if (luq::detail::is_float_dtype(tensor.dtype)) {
      REQUIRE(elements_or_refusal([&] { return reader.read_floats(tensor.name).size(); }, count));
      REQUIRE(elements_or_refusal([&] { return reader.read_matrix(tensor.name).size(); }, count));
    } else {
      REQUIRE(elements_or_refusal([&] { return reader.read_integers<>(tensor.name).size(); }, count));
    }
  }
  REQUIRE(reader.header_bytes() + position == reader.file_bytes());
  REQUIRE(reader.names().size() == reader.tensors().size());
}

/// Whether the bytes are accepted, and then consistent.
bool is_accepted(const std::string& file) {
  std::optional<luq::safetensors_reader> reader;
  try {
    reader.emplace(bytes_of(file), "x.safetensors");
  } catch (const luq::error&) {
    return false;
  }
  check_consistency(*reader);
  return true;
}

TEST_CASE("a file of the reference implementation with every element type") {
  const luq::safetensors_reader reader(luq_test::data_file("reference_types.safetensors"));
  CHECK(reader.metadata() == luq_test::reference_metadata());
  const std::vector<luq_test::reference_tensor> expected = luq_test::reference_tensors();
  CHECK(reader.tensors().size() == expected.size());
  for (const luq_test::reference_tensor& tensor : expected) {
    CAPTURE(tensor.name);
    REQUIRE(reader.contains(tensor.name));
    CHECK((reader.info(tensor.name).dtype == tensor.dtype));
    CHECK(reader.shape(tensor.name) == tensor.shape);
    const std::span<const std::byte> stored = reader.bytes(tensor.name);
    CHECK(std::ranges::equal(stored, bytes_of(tensor.data)));
  }
  const std::vector<std::string> names = reader.names();
  CHECK(std::is_sorted(names.begin(), names.end()));
  CHECK(names.size() == expected.size());
  CHECK_FALSE(reader.contains("z"));
  CHECK_FALSE(reader.contains(""));
  CHECK_FALSE(reader.contains("__metadata__"));
  check_consistency(reader);
}

TEST_CASE("a file of the reference implementation without tensors") {
  const luq::safetensors_reader reader(luq_test::data_file("reference_empty.safetensors"));
  CHECK(reader.tensors().empty());
  CHECK(reader.metadata().empty());
  CHECK(reader.file_bytes() == 16);
  CHECK(reader.header_bytes() == 16);
}

TEST_CASE("floats are exact") {
  const luq::safetensors_reader reader = open_reference_values();
  const auto check_bits = [&](std::string_view name, const std::vector<float>& expected) {
    CAPTURE(name);
    const std::vector<float> actual = reader.read_floats(name);
    REQUIRE(actual.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      CAPTURE(i);
      CHECK(std::bit_cast<std::uint32_t>(actual[i]) == std::bit_cast<std::uint32_t>(expected[i]));
    }
  };
  check_bits("f32", {1.5f, -0.0f, 0x1p-149f, std::numeric_limits<float>::max(), -2.0f, 0.1f});
  check_bits("f16", {1.0f, -2.5f, 65504.0f, 0x1p-24f, 0.333251953125f});
  check_bits("bf16", {1.0f, -3.0f, 0x1p-133f, 0x1.fep127f});
}

TEST_CASE("every 16-bit pattern and unaligned data") {
  for (const std::string_view dtype : {"F16", "BF16"}) {
    std::string header = R"({"pad":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"x":{"dtype":")" +
                         std::string(dtype) + R"(","shape":[65536],"data_offsets":[1,131073]}})";
    std::string file = file_with_header(header, 1);
    for (int i = 0; i < 65536; ++i) {
      file += static_cast<char>(i & 0xff);
      file += static_cast<char>(i >> 8);
    }
    // The second reading moves all data by one byte, so one of the two is unaligned whatever the allocator does.
    const std::string moved = " " + file;
    for (const std::span<const std::byte> bytes : {bytes_of(file), bytes_of(moved).subspan(1)}) {
      const luq::safetensors_reader reader(bytes, "x");
      const std::vector<float> values = reader.read_floats("x");
      REQUIRE(values.size() == 65536);
      int wrong = 0;
      for (std::size_t i = 0; i < values.size(); ++i) {
        const auto bits = static_cast<std::uint16_t>(i);
        const float expected = dtype == "F16" ? static_cast<float>(luq::half::from_bits(bits))
                                              : static_cast<float>(luq::bfloat16::from_bits(bits));
        wrong += std::bit_cast<std::uint32_t>(values[i]) != std::bit_cast<std::uint32_t>(expected) ? 1 : 0;
      }
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("doubles round to the nearest float and never to infinity") {
  const std::vector<double> doubles = {0.1,
                                       1.0 + 0x1p-24,            // a tie, to even
                                       1.0 + 3 * 0x1p-24,        // a tie, to even
                                       1.0 + 0x1p-24 + 0x1p-50,  // above a tie
                                       0x1p-150,                 // a tie with zero
                                       0x1.fffffefffffffp127,    // the last to round to the largest float
                                       std::numeric_limits<double>::infinity(),
                                       0x1.ffffffp127};
  const auto file_of = [&](std::size_t count) {
    const std::string bytes = std::to_string(8 * count);
    std::string file = file_with_header(R"({"x":{"dtype":"F64","shape":[2,)" + std::to_string(count / 2) +
                                        R"(],"data_offsets":[0,)" + bytes + "]}}");
    for (std::size_t i = 0; i < count; ++i) file += length_field(std::bit_cast<std::uint64_t>(doubles[i]));
    return file;
  };
  const std::string inside = file_of(6);
  const std::vector<float> expected = {
      0.1f, 1.0f, 1.0f + 0x1p-22f, 1.0f + 0x1p-23f, 0.0f, std::numeric_limits<float>::max()};
  CHECK(open_bytes(inside).read_floats("x") == expected);
  const std::string beyond = file_of(8);
  check_fails(errc::unsupported, "tensor 'x': element 7, at [1, 3] of [2, 4]: the F64 value is beyond the range",
              [&] { static_cast<void>(open_bytes(beyond).read_floats("x")); });
  check_fails(errc::unsupported, "element 1, at [1] of [4]",
              [&] { static_cast<void>(open_reference_values().read_floats("f64")); });
}

TEST_CASE("integers are read into any type that holds them") {
  const luq::safetensors_reader reader = open_reference_values();
  using limits64 = std::numeric_limits<std::int64_t>;
  CHECK(reader.read_integers<>("i8") == std::vector<std::int64_t>{-128, 127});
  CHECK(reader.read_integers<>("u8") == std::vector<std::int64_t>{0, 255});
  CHECK(reader.read_integers<>("i16") == std::vector<std::int64_t>{-32768, 32767});
  CHECK(reader.read_integers<>("u16") == std::vector<std::int64_t>{0, 65535});
  CHECK(reader.read_integers<>("i32") == std::vector<std::int64_t>{-2147483648, 2147483647});
  CHECK(reader.read_integers<>("u32") == std::vector<std::int64_t>{0, 4294967295});
  CHECK(reader.read_integers<>("i64") == std::vector<std::int64_t>{limits64::min(), limits64::max()});
  CHECK(reader.read_integers<std::uint64_t>("u64") ==
        std::vector<std::uint64_t>{0, std::numeric_limits<std::uint64_t>::max()});
  CHECK(reader.read_integers<std::int8_t>("i8") == std::vector<std::int8_t>{-128, 127});
  CHECK(reader.read_integers<std::uint8_t>("bool") == std::vector<std::uint8_t>{1, 0, 1});

  check_fails(errc::corrupt_file, "tensor 'u64': element 1, at [1] of [2]: the value is not a I64",
              [&] { static_cast<void>(reader.read_integers<>("u64")); });
  check_fails(errc::corrupt_file, "element 0, at [0] of [2]: the value is not a U64",
              [&] { static_cast<void>(reader.read_integers<std::uint64_t>("i64")); });
  check_fails(errc::corrupt_file, "element 1, at [1] of [2]: the value is not a I8",
              [&] { static_cast<void>(reader.read_integers<std::int8_t>("u8")); });
  check_fails(errc::corrupt_file, "tensor 'not bool': element 2, at [2] of [3]: the value is not a BOOL",
              [&] { static_cast<void>(reader.read_integers<>("not bool")); });
}

TEST_CASE("the finite check names tensor and element, on demand only") {
  const luq::safetensors_reader reader = open_reference_values();
  const std::vector<float> as_stored = reader.read_floats("flawed");
  CHECK(std::isnan(as_stored[5]));
  CHECK(as_stored[7] == -std::numeric_limits<float>::infinity());
  constexpr luq::float_read_options strict{.require_finite = true};
  check_fails(errc::non_finite,
              "reference_values.safetensors: tensor 'flawed': element 5, at [1, 0, 1] of [2, 2, 2]: expected a finite "
              "number, got nan",
              [&] { static_cast<void>(reader.read_floats("flawed", strict)); });
  std::array<float, 8> target{};
  check_fails(errc::non_finite, "element 5", [&] { reader.read_floats_into("flawed", target, strict); });
  CHECK(reader.read_floats("f32", strict).size() == 6);
  CHECK(reader.read_matrix("f32", strict).size() == 6);
}

TEST_CASE("shapes become matrices") {
  const luq::safetensors_reader reader = open_reference_values();
  const luq::matrix W = reader.read_matrix("f32");
  CHECK(W.rows() == 2);
  CHECK(W.cols() == 3);
  CHECK(W(0, 2) == 0x1p-149f);
  CHECK(W(1, 0) == std::numeric_limits<float>::max());
  const luq::matrix row = reader.read_matrix("f16");
  CHECK(row.rows() == 1);
  CHECK(row.cols() == 5);
  check_fails(errc::shape_mismatch, "tensor 'flawed': expected at most 2 axes, got 3 of shape [2, 2, 2]",
              [&] { static_cast<void>(reader.read_matrix("flawed")); });

  const std::string empty =
      file_with_header(R"({"r":{"dtype":"F32","shape":[0,9007199254740991],"data_offsets":[0,0]},)"
                       R"("c":{"dtype":"F32","shape":[9007199254740991,0],"data_offsets":[0,0]},)"
                       R"("s":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})",
                       4);
  const luq::safetensors_reader shapes = open_bytes(empty);
  CHECK(shapes.read_matrix("r").rows() == 0);
  CHECK(shapes.read_matrix("c").cols() == 0);
  CHECK(shapes.read_matrix("s").size() == 1);

  std::array<float, 5> target{};
  check_fails(errc::shape_mismatch, "tensor 'f32': expected 5 elements, got 6",
              [&] { reader.read_floats_into("f32", target); });
}

TEST_CASE("wrong names and wrong types") {
  const luq::safetensors_reader reader = open_reference_values();
  check_fails(errc::invalid_argument, "no tensor is named 'F32'", [&] { static_cast<void>(reader.info("F32")); });
  check_fails(errc::invalid_argument, R"(named '\x1b[2J')", [&] { static_cast<void>(reader.bytes("\x1b[2J")); });
  check_fails(errc::unsupported, "tensor 'i8': expected F16, BF16, F32 or F64, got I8",
              [&] { static_cast<void>(reader.read_floats("i8")); });
  check_fails(errc::unsupported, "tensor 'f16': expected integers, got F16",
              [&] { static_cast<void>(reader.read_integers<>("f16")); });
  const std::string exotic =
      file_with_header(R"({"new":{"dtype":"F2_E1","shape":[1000000000000],"data_offsets":[0,3]},)"
                       R"("old":{"dtype":"U8","shape":[1],"data_offsets":[3,4]}})",
                       4);
  const luq::safetensors_reader mixed = open_bytes(exotic);
  check_consistency(mixed);
  CHECK(mixed.info("new").dtype_label == "F2_E1");
  CHECK(mixed.read_integers<>("old") == std::vector<std::int64_t>{0});
  check_fails(errc::unsupported, "tensor 'new': unknown element type 'F2_E1'",
              [&] { static_cast<void>(mixed.read_floats("new")); });
}

TEST_CASE("valid but unusual files") {
  const std::vector<std::string> files = {
      file_with_header("{}"),
      file_with_header("{} \n\t\r "),
      file_with_header(R"({"__metadata__":{}})"),
      file_with_header(R"({"__metadata__":{"":"","a":"\u0000"}})"),
      // entries out of order, keys out of order, metadata last, no padding
      file_with_header(R"({"b":{"data_offsets":[1,3],"shape":[2],"dtype":"I8"},)"
                       R"("a":{"shape":[],"dtype":"BOOL","data_offsets":[0,1]},"__metadata__":{"k":"v"}})",
                       3),
      // empty tensors anywhere between the others
      file_with_header(R"({"e":{"dtype":"F32","shape":[0],"data_offsets":[2,2]},)"
                       R"("f":{"dtype":"F32","shape":[0,7],"data_offsets":[0,0]},)"
                       R"("g":{"dtype":"F32","shape":[0],"data_offsets":[2,2]},)"
                       R"("h":{"dtype":"U8","shape":[1,2,1],"data_offsets":[0,2]},)"
                       R"("i":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
                       3),
      file_with_header(R"({"a":{"dtype":"F4","shape":[2,3],"data_offsets":[0,3]}})", 3),
      file_with_header(R"({"a":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[0,3]}})", 3),
  };
  for (const std::string& file : files) {
    CAPTURE(file);
    check_consistency(open_bytes(file));
  }
}

struct corrupt_row {
  std::string_view reason;
  std::string file;
  errc code;
  std::string_view fragment;
};

/// A file whose only tensor has this entry.
std::string with_entry(const std::string& entry, std::size_t data_bytes) {
  return file_with_header("{\"t\":" + entry + "}", data_bytes);
}

std::string with_shape(const std::string& shape, std::size_t data_bytes = 4) {
  return with_entry(R"({"dtype":"F32","shape":)" + shape + R"(,"data_offsets":[0,)" + std::to_string(data_bytes) + "]}",
                    data_bytes);
}

std::string with_offsets(const std::string& offsets) {
  return with_entry(R"({"dtype":"U8","shape":[4],"data_offsets":)" + offsets + "}", 4);
}

std::string two_tensors(const std::string& first_offsets, const std::string& second_offsets, std::size_t data_bytes) {
  return file_with_header(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)" + first_offsets +
                              R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)" + second_offsets + "}}",
                          data_bytes);
}

TEST_CASE("corrupt files are refused with their reason") {
  const std::string ok = R"({"dtype":"U8","shape":[4],"data_offsets":[0,4]})";
  constexpr errc corrupt = errc::corrupt_file;
  const std::vector<corrupt_row> rows = {
      {"empty", "", corrupt, "expected at least 8 bytes, got 0"},
      {"no complete length", "1234567", corrupt, "expected at least 8 bytes, got 7"},
      {"length 0", length_field(0), corrupt, "does not begin with '{'"},
      {"length beyond the file", length_field(3) + "{}", corrupt, "header length 3 exceeds the 2 bytes that follow"},
      {"length beyond the limit", length_field(100'000'001) + "{}", corrupt, "exceeds the limit of 100000000"},
      {"length that overflows when 8 is added", length_field(~std::uint64_t{0}) + "{}", corrupt,
       "header length 18446744073709551615 exceeds the limit"},
      {"length that overflows by 1", length_field(~std::uint64_t{7}) + "{}", corrupt, "exceeds the limit"},
      {"length too short", length_field(1) + "{}", corrupt, "invalid JSON"},

      {"space before the header", file_with_header(" {}"), corrupt, "does not begin with '{'"},
      {"an array as header", file_with_header("[]"), corrupt, "does not begin with '{'"},
      {"null as header", file_with_header("null"), corrupt, "does not begin with '{'"},
      {"byte order mark", file_with_header("\xEF\xBB\xBF{}"), corrupt, "does not begin with '{'"},
      {"text after the header", file_with_header("{}x"), corrupt, "expected end of input"},
      {"NUL padding", file_with_header(std::string("{}\0\0", 4)), corrupt, "NUL byte at position 2"},
      {"invalid UTF-8 in a name", file_with_header("{\"\xFF\":" + ok + "}", 4), corrupt, "ill-formed UTF-8"},
      {"invalid UTF-8 in metadata", file_with_header("{\"__metadata__\":{\"a\":\"\xC0\x80\"}}"), corrupt, "ill-formed"},
      {"lone surrogate", file_with_header(R"({"\ud800":)" + ok + "}", 4), corrupt, "surrogate"},
      {"comment", file_with_header("{/**/}"), corrupt, "invalid literal"},
      {"trailing comma", file_with_header("{\"t\":" + ok + ",}", 4), corrupt, "invalid JSON"},

      {"duplicate tensor", file_with_header("{\"t\":" + ok + ",\"t\":" + ok + "}", 4), corrupt,
       "duplicate tensor name 't'"},
      {"duplicate empty tensor",
       file_with_header(R"({"t":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)"
                        R"("\u0074":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})"),
       corrupt, "duplicate tensor name 't'"},
      {"duplicate tensor elsewhere",
       file_with_header(R"({"t":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                        R"("t":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
                        2),
       corrupt, "duplicate tensor name 't'"},
      {"duplicate __metadata__", file_with_header(R"({"__metadata__":{},"__metadata__":{}})"), corrupt,
       "duplicate key '__metadata__'"},
      {"duplicate metadata key", file_with_header(R"({"__metadata__":{"a":"1","a":"1"}})"), corrupt,
       "__metadata__: duplicate key 'a'"},
      {"duplicate dtype", with_entry(R"({"dtype":"U8","dtype":"U8","shape":[4],"data_offsets":[0,4]})", 4), corrupt,
       "tensor 't': duplicate key 'dtype'"},
      {"duplicate shape", with_entry(R"({"dtype":"U8","shape":[4],"shape":[4],"data_offsets":[0,4]})", 4), corrupt,
       "tensor 't': duplicate key 'shape'"},
      {"duplicate data_offsets",
       with_entry(R"({"dtype":"U8","shape":[4],"data_offsets":[0,4],"data_offsets":[0,4]})", 4), corrupt,
       "tensor 't': duplicate key 'data_offsets'"},

      {"metadata is null", file_with_header(R"({"__metadata__":null})"), corrupt, "__metadata__: expected an object"},
      {"metadata is text", file_with_header(R"({"__metadata__":"a"})"), corrupt, "__metadata__: expected an object"},
      {"metadata holds a number", file_with_header(R"({"__metadata__":{"a":1}})"), corrupt,
       "__metadata__: expected strings as values, got 1"},
      {"metadata holds null", file_with_header(R"({"__metadata__":{"a":null}})"), corrupt, "got null"},
      {"metadata holds an object", file_with_header(R"({"__metadata__":{"a":{}}})"), corrupt, "got an object"},
      {"metadata holds an array", file_with_header(R"({"__metadata__":{"a":[]}})"), corrupt, "got an array"},

      {"entry is null", with_entry("null", 0), corrupt, "tensor 't': expected an object, got null"},
      {"entry is an array", with_entry("[]", 0), corrupt, "tensor 't': expected an object, got an array"},
      {"entry is empty", with_entry("{}", 0), corrupt, "tensor 't': dtype is missing"},
      {"no shape", with_entry(R"({"dtype":"U8","data_offsets":[0,4]})", 4), corrupt, "tensor 't': shape is missing"},
      {"no data_offsets", with_entry(R"({"dtype":"U8","shape":[4]})", 4), corrupt, "'t': data_offsets is missing"},
      {"a fourth key", with_entry(R"({"dtype":"U8","shape":[4],"data_offsets":[0,4],"x":0})", 4), corrupt,
       "expected only dtype, shape and data_offsets, got the key 'x'"},
      {"dtype is a number", with_entry(R"({"dtype":1,"shape":[4],"data_offsets":[0,4]})", 4), corrupt, "dtype to be"},
      {"dtype is empty", with_entry(R"({"dtype":"","shape":[4],"data_offsets":[0,4]})", 4), corrupt, "dtype to be"},
      {"dtype is long",
       with_entry(R"({"dtype":")" + std::string(33, 'F') + R"(","shape":[4],"data_offsets":[0,4]})", 4), corrupt,
       "dtype to be a string of 1 to 32 bytes"},
      {"shape is a number", with_shape("1"), corrupt, "expected shape to be an array, got 1"},
      {"shape is an object", with_shape("{}"), corrupt, "expected shape to be an array, got an object"},
      {"shape holds a shape", with_shape("[[1]]"), corrupt, "shape to hold non-negative integers, got an array"},
      {"shape holds text", with_shape(R"(["1"])"), corrupt, "got the string '1'"},
      {"shape holds null", with_shape("[null]"), corrupt, "got null"},
      {"shape holds true", with_shape("[true]"), corrupt, "got true"},
      {"negative extent", with_shape("[-1]"), corrupt, "non-negative integers, got -1"},
      {"negative zero", with_shape("[-0]", 0), corrupt, "non-negative integers, got 0"},
      {"extent 1.0", with_shape("[1.0]"), corrupt, "non-negative integers, got 1.0"},
      {"extent 1e0", with_shape("[1e0]"), corrupt, "non-negative integers, got 1e0"},
      {"extent 2^53", with_shape("[9007199254740992]"), corrupt, "got 9007199254740992, beyond 2^53 - 1"},
      {"extent 2^64", with_shape("[18446744073709551616]"), corrupt, "integers, got 18446744073709551616"},
      {"extent 1e400", with_shape("[1e400]"), corrupt, "number overflow"},
      {"product 2^64 wraps to 0", with_shape("[4294967296,4294967296]", 0), corrupt, "overflows"},
      {"product 2^64 + 4 wraps to 4", with_shape("[4294967296,4294967296,1]", 0), corrupt, "overflows"},
      {"bits wrap to 0", with_shape("[576460752303423488]", 0), corrupt, "beyond 2^53 - 1"},
      {"bits wrap to 0, from a product", with_shape("[536870912,1073741824]", 0), corrupt, "overflows"},
      {"overflow before a zero", with_shape("[4294967296,4294967296,0]", 0), corrupt, "overflows"},
      {"overflow in a tensor of unknown type",
       with_entry(R"({"dtype":"X","shape":[4294967296,4294967296],"data_offsets":[0,4]})", 4), corrupt, "overflows"},
      {"half a byte", with_entry(R"({"dtype":"F4","shape":[3],"data_offsets":[0,2]})", 2), corrupt,
       "3 elements of F4 are not a whole number of bytes"},
      {"shape too large", with_shape("[2]"), corrupt, "tensor 't': expected 8 bytes for F32 [2], data_offsets give 4"},
      {"shape too small", with_shape("[1]", 8), corrupt,
       "tensor 't': expected 4 bytes for F32 [1], data_offsets give 8"},
      {"zero in the shape, but data", with_shape("[0]"), corrupt, "expected 0 bytes for F32 [0], data_offsets give 4"},

      {"offsets are an object", with_offsets("{}"), corrupt, "data_offsets to be an array, got an object"},
      {"no offsets", with_offsets("[]"), corrupt, "two non-negative integers, got the end of the array"},
      {"one offset", with_offsets("[0]"), corrupt, "two non-negative integers, got the end of the array"},
      {"three offsets", with_offsets("[0,4,4]"), corrupt, "got a third offset"},
      {"negative offset", with_offsets("[-4,0]"), corrupt, "two non-negative integers, got -4"},
      {"offset 4.0", with_offsets("[0,4.0]"), corrupt, "got 4.0"},
      {"huge offset", with_offsets("[0,18446744073709551615]"), corrupt, "beyond 2^53 - 1"},
      {"end before begin", with_offsets("[4,0]"), corrupt, "data_offsets [4, 0] end before they begin"},
      {"data begin late", with_offsets("[1,5]"), corrupt, "data begin at 1 and leave a hole after those that end at 0"},
      {"data end beyond the file", with_entry(R"({"dtype":"U8","shape":[5],"data_offsets":[0,5]})", 4), corrupt,
       "expected 5 bytes of data after the header, got 4"},
      {"data after the last tensor", with_entry(ok, 5), corrupt, "expected 4 bytes of data after the header, got 5"},
      {"data without tensors", file_with_header("{}", 1), corrupt, "expected 0 bytes of data after the header, got 1"},
      {"overlap", two_tensors("[0,4]", "[3,7]", 7), corrupt, "tensor 'b': data begin at 3 and overlap"},
      {"twice the same data", two_tensors("[0,4]", "[0,4]", 4), corrupt, "tensor 'b': data begin at 0 and overlap"},
      {"overlap, in reverse order", two_tensors("[2,6]", "[0,4]", 6), corrupt,
       "tensor 'a': data begin at 2 and overlap"},
      {"hole", two_tensors("[0,4]", "[5,9]", 9), corrupt, "tensor 'b': data begin at 5 and leave a hole"},
      {"hole, in reverse order", two_tensors("[5,9]", "[0,4]", 9), corrupt, "tensor 'a': data begin at 5 and leave a"},

      {"empty name", file_with_header("{\"\":" + ok + "}", 4), corrupt, "empty name"},
      {"NUL in a name", file_with_header("{\"a\\u0000\":" + ok + "}", 4), corrupt,
       R"('a\x00': the name holds a control)"},
      {"line break in a name", file_with_header("{\"a\\nb\":" + ok + "}", 4), corrupt, R"('a\x0ab': the name holds)"},
      {"long name", file_with_header("{\"" + std::string(1025, 'n') + "\":" + ok + "}", 4), corrupt,
       "the name has 1025 bytes, the limit is 1024"},
      {"rank 65",
       with_shape("[1" +
                  [] {
                    std::string ones;
                    for (int i = 0; i < 64; ++i) ones += ",1";
                    return ones;
                  }() +
                  "]"),
       errc::unsupported, "tensor 't': the shape has more than 64 extents"},
      {"deep nesting of arrays", file_with_header("{\"t\":" + std::string(1'000'000, '[')), corrupt, "got an array"},
      {"deep nesting in a shape", with_shape(std::string(1'000'000, '[')), corrupt, "got an array"},
  };
  for (const corrupt_row& row : rows) {
    CAPTURE(row.reason);
    check_fails(row.code, row.fragment, [&] { open_bytes(row.file); });
    check_fails(row.code, "x.safetensors: ", [&] { open_bytes(row.file); });
  }
}

TEST_CASE("limits can be lowered") {
  const std::string file = small_file();
  CHECK_NOTHROW(open_bytes(file, {.tensors = 2, .rank = 2, .name_bytes = 1}));
  check_fails(errc::unsupported, "more than 1 tensors", [&] { open_bytes(file, {.tensors = 1}); });
  check_fails(errc::unsupported, "more than 1 extents", [&] { open_bytes(file, {.rank = 1}); });
  check_fails(errc::corrupt_file, "exceeds the limit of 16", [&] { open_bytes(file, {.header_bytes = 16}); });
  check_fails(errc::corrupt_file, "limit is 0", [&] { open_bytes(file, {.name_bytes = 0}); });
}

TEST_CASE("a header of many tensors is refused before it costs memory") {
  std::string header = "{";
  for (int i = 0; i < 1'000'001; ++i) {
    header += (i == 0 ? "\"" : ",\"") + std::to_string(i) + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  }
  const std::string file = file_with_header(header + "}");
  check_fails(errc::unsupported, "more than 1000000 tensors", [&] { open_bytes(file); });
}

TEST_CASE("a file cut anywhere is refused, from memory and from disk") {
  const std::string file = small_file();
  check_consistency(open_bytes(file));
  const luq_test::scratch_directory scratch;
  for (std::size_t length = 0; length < file.size(); ++length) {
    CAPTURE(length);
    const std::string cut = file.substr(0, length);
    check_fails(errc::corrupt_file, "x.safetensors: ", [&] { open_bytes(cut); });
    luq_test::write_text(scratch / "cut.safetensors", cut);
    check_fails(errc::corrupt_file, "cut.safetensors: ", [&] { luq::safetensors_reader(scratch / "cut.safetensors"); });
  }
  const std::string longer = file + '\0';
  check_fails(errc::corrupt_file, "expected 26 bytes of data", [&] { open_bytes(longer); });
}

TEST_CASE("any byte of length and header may be anything: an error or a consistent file, never worse") {
  const std::string file = small_file();
  const std::size_t header_end = file.size() - 26;
  int accepted = 0;
  int refused = 0;
  for (std::size_t position = 0; position < header_end; ++position) {
    std::string changed = file;
    for (int value = 0; value < 256; ++value) {
      changed[position] = static_cast<char>(value);
      ++(is_accepted(changed) ? accepted : refused);
    }
  }
  // Other letters in names, other characters in metadata, other digits that happen to agree, the unchanged byte itself.
  CHECK(accepted > static_cast<int>(header_end));
  CHECK(refused > 10 * accepted);
}

TEST_CASE("any byte of the header missing or doubled: an error or a consistent file, never worse") {
  const std::string file = small_file();
  const std::string header = file.substr(8, file.size() - 8 - 26);
  const std::string data = file.substr(file.size() - 26);
  int accepted = 0;
  int refused = 0;
  for (std::size_t position = 0; position < header.size(); ++position) {
    const std::string before = header.substr(0, position);
    for (const std::string& changed :
         {before + header.substr(position + 1), before + header.substr(position, 1) + header.substr(position)}) {
      ++(is_accepted(file_with_header(changed) + data) ? accepted : refused);
    }
  }
  CHECK(accepted > 0);  // a space of the padding, a letter of the metadata
  CHECK(refused > 10 * accepted);
}

#if LUQ_IO_HAS_POSIX  // elsewhere the reader holds a copy
TEST_CASE("a file that shrinks under the reader gives an error") {
  const luq_test::scratch_directory scratch;
  const std::filesystem::path path = scratch / "a.safetensors";
  luq_test::write_text(path, small_file());
  const luq::safetensors_reader reader(path);
  CHECK(reader.read_integers<>("b") == std::vector<std::int64_t>{24, 25});
  std::filesystem::resize_file(path, small_file().size() - 1);
  check_fails(errc::io_failure, "the size changed while in use", [&] { static_cast<void>(reader.bytes("b")); });
  check_fails(errc::io_failure, "the size changed", [&] { static_cast<void>(reader.read_floats("a")); });
  check_fails(errc::io_failure, "the size changed", [&] { static_cast<void>(reader.read_integers<>("b")); });
}

#endif

TEST_CASE("a reader can be moved") {
  const luq_test::scratch_directory scratch;
  luq_test::write_text(scratch / "a.safetensors", small_file());
  luq::safetensors_reader first(scratch / "a.safetensors");
  const luq::safetensors_reader second = std::move(first);
  CHECK(second.read_integers<>("b") == std::vector<std::int64_t>{24, 25});
  luq::safetensors_reader third(luq_test::data_file("reference_empty.safetensors"));
  third = luq::safetensors_reader(scratch / "a.safetensors");
  CHECK(third.read_integers<>("b") == std::vector<std::int64_t>{24, 25});
  check_consistency(third);
}

}  // namespace
