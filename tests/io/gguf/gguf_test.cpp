// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/gguf/gguf.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/gguf/gguf_reference.hpp"
#include "io/io_test_support.hpp"

using luq::errc;
using luq::ggml_type;
using luq_test::bytes_of;
using luq_test::check_fails;
using luq_test::gguf_spelling;

namespace {

constexpr std::int32_t f32 = 0;
constexpr std::int32_t q4_0 = 2;
constexpr std::int32_t unknown = 97;

luq::gguf_reader open_gguf(const std::string& file) {
  return luq::gguf_reader(bytes_of(file), "x.gguf");
}

void check_corrupt_gguf(const gguf_spelling& file, std::string_view fragment) {
  check_fails(errc::corrupt_file, fragment, [&] { static_cast<void>(open_gguf(file.bytes())); });
}

/// What must hold of any accepted file.
void check_gguf_consistency(const luq::gguf_reader& reader) {
  std::uint64_t position = 0;
  for (const luq::gguf_tensor_info& tensor : reader.tensors()) {
    REQUIRE(tensor.begin >= position);
    REQUIRE(tensor.begin % reader.alignment() == 0);
    REQUIRE(tensor.end >= tensor.begin);
    position = tensor.end;
    REQUIRE(&reader.info(tensor.name) == &tensor);
    const auto facts = luq::facts_of(tensor.type);
    if (!facts) {
      check_fails(errc::unsupported, "unknown ggml", [&] { static_cast<void>(reader.bytes(tensor.name)); });
      continue;
    }
    const std::span<const std::byte> bytes = reader.bytes(tensor.name);
    REQUIRE(bytes.size() * facts->block_weights == static_cast<std::uint64_t>(tensor.size()) * facts->block_bytes);
    unsigned sum = 0;
    for (const std::byte byte : bytes) sum += std::to_integer<unsigned>(byte);
    REQUIRE(sum <= 255 * bytes.size());
  }
  REQUIRE(reader.header_bytes() + position <= reader.file_bytes());
  for (const luq::gguf_entry& entry : reader.metadata()) REQUIRE(reader.find_value(entry.key) == &entry.value);
}

/// Whether the bytes are accepted, and then consistent.
bool is_accepted_gguf(const std::string& file) {
  std::optional<luq::gguf_reader> reader;
  try {
    reader.emplace(bytes_of(file), "x.gguf");
  } catch (const luq::error&) {
    return false;
  }
  check_gguf_consistency(*reader);
  return true;
}

/// Checks a value of a type against the bytes that follow its key's type in a file.
template <class T>
void check_array(std::int32_t type, const std::vector<T>& elements) {
  CAPTURE(type);
  gguf_spelling file;
  file.begin(0, 1).key("k", 9).number(type).number(std::uint64_t{elements.size()});
  for (const T element : elements) file.number(element);
  CHECK(open_gguf(file.bytes()).value<std::vector<T>>("k") == elements);
  CHECK(luq::gguf_type_name(open_gguf(file.bytes()).metadata()[0].value) ==
        "array of " + luq::gguf_type_name(static_cast<luq::gguf_type>(type)));
}

TEST_CASE("a file of the reference implementation with every type of value") {
  const luq_test::scratch_directory scratch;
  luq_test::write_text(scratch / "a.gguf", luq_test::gguf_reference());
  const luq::gguf_reader reader(scratch / "a.gguf");
  CHECK(reader.version() == 3);
  CHECK(reader.alignment() == 32);
  CHECK(reader.file_bytes() == 768);
  CHECK(reader.header_bytes() == 608);
  const std::vector<luq::gguf_entry> metadata = luq_test::gguf_reference_metadata();
  REQUIRE(reader.metadata().size() == metadata.size());
  for (std::size_t i = 0; i < metadata.size(); ++i) {
    CAPTURE(metadata[i].key);
    CHECK(reader.metadata()[i].key == metadata[i].key);
    CHECK((reader.metadata()[i].value == metadata[i].value));
    CHECK(reader.find_value(metadata[i].key) == &reader.metadata()[i].value);
  }
  CHECK(reader.value<std::string>("general.architecture") == "llama");
  CHECK(reader.value<std::uint64_t>("t.u64") == (std::uint64_t{1} << 63) + 5);
  CHECK(reader.value<std::vector<std::string>>("a.str") == std::vector<std::string>{"x", "yz"});
  CHECK(std::get<std::vector<bool>>(reader.value<luq::gguf_array>("a.bool")).size() == 3);

  const std::vector<luq_test::gguf_reference_tensor> tensors = luq_test::gguf_reference_tensors();
  REQUIRE(reader.tensors().size() == tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    CAPTURE(tensors[i].name);
    const luq::gguf_tensor_info& info = reader.tensors()[i];
    CHECK(info.name == tensors[i].name);
    CHECK((info.type == tensors[i].type));
    CHECK(info.shape == tensors[i].shape);
    CHECK(std::ranges::equal(reader.bytes(tensors[i].name), bytes_of(tensors[i].data)));
  }
  CHECK_FALSE(reader.contains("t.u8"));
  CHECK_FALSE(reader.contains(""));
  CHECK(reader.find_value("norm") == nullptr);
  check_gguf_consistency(reader);
}

TEST_CASE("what is asked for must be there and of the type") {
  const std::string file = luq_test::gguf_reference();
  const luq::gguf_reader reader = open_gguf(file);
  check_fails(errc::invalid_argument, "x.gguf: there is no key 't'",
              [&] { static_cast<void>(reader.value<bool>("t")); });
  check_fails(errc::unsupported, "x.gguf: key 't.u8': unexpected type u8",
              [&] { static_cast<void>(reader.value<std::uint32_t>("t.u8")); });
  check_fails(errc::unsupported, "key 't.u8': unexpected type u8",
              [&] { static_cast<void>(reader.value<std::vector<std::uint8_t>>("t.u8")); });
  check_fails(errc::unsupported, "key 'a.i32': unexpected type array of i32",
              [&] { static_cast<void>(reader.value<std::vector<std::uint32_t>>("a.i32")); });
  check_fails(errc::invalid_argument, "x.gguf: no tensor is named 'down'",
              [&] { static_cast<void>(reader.bytes("down")); });
}

TEST_CASE("arrays of every type, and empty ones") {
  check_array<std::uint8_t>(0, {0, 255});
  check_array<std::int8_t>(1, {-128, 127});
  check_array<std::uint16_t>(2, {0, 65535, 1});
  check_array<std::int16_t>(3, {-32768, 32767});
  check_array<std::uint32_t>(4, {0, 4294967295u});
  check_array<std::int32_t>(5, {std::numeric_limits<std::int32_t>::min(), 1});
  check_array<float>(6, {-0.5f, 1e30f});
  check_array<std::uint64_t>(10, {~std::uint64_t{0}});
  check_array<std::int64_t>(11, {-1, 2, -3});
  check_array<double>(12, {0.1, -1e300});
  check_array<double>(12, {});
  gguf_spelling texts;
  texts.begin(0, 1).key("k", 9).number(std::int32_t{8}).number(std::uint64_t{3}).text("").text("ab").text("");
  CHECK(open_gguf(texts.bytes()).value<std::vector<std::string>>("k") == std::vector<std::string>{"", "ab", ""});
  gguf_spelling flags;
  flags.begin(0, 1).key("k", 9).number(std::int32_t{7}).number(std::uint64_t{2}).raw(std::string("\1\0", 2));
  CHECK(open_gguf(flags.bytes()).value<std::vector<bool>>("k") == std::vector<bool>{true, false});
}

TEST_CASE("a file without content, with and without padding") {
  gguf_spelling file;
  file.begin(0, 0);
  const luq::gguf_reader bare = open_gguf(file.bytes());
  CHECK(bare.header_bytes() == 24);
  CHECK(bare.tensors().empty());
  CHECK(is_accepted_gguf(file.pad().bytes()));
  CHECK(is_accepted_gguf(file.zeros(1).bytes()));
}

TEST_CASE("versions, magic and byte order") {
  CHECK(is_accepted_gguf(gguf_spelling().begin(0, 0, 2).bytes()));
  check_corrupt_gguf(gguf_spelling(), "header: expected 1 bytes at offset 0, got 0");
  check_corrupt_gguf(gguf_spelling().raw("GGML").zeros(20), "header: expected a file that begins with 'GGUF'");
  for (const std::uint32_t version : {0u, 1u, 4u, 0x00010003u}) {
    CAPTURE(version);
    check_fails(errc::unsupported, "expected version 2 or 3, got " + std::to_string(version),
                [&] { static_cast<void>(open_gguf(gguf_spelling().begin(0, 0, version).bytes())); });
  }
  for (const std::uint32_t version : {0x03000000u, 0x02000000u}) {
    check_fails(errc::unsupported, "x.gguf: header: the file is big-endian",
                [&] { static_cast<void>(open_gguf(gguf_spelling().begin(0, 0, version).bytes())); });
  }
}

TEST_CASE("counts must fit into the file before anything is allocated") {
  constexpr std::uint64_t most = ~std::uint64_t{0};
  check_corrupt_gguf(gguf_spelling().begin(most, 0), "18446744073709551615 tensors do not fit into the 8 bytes");
  check_corrupt_gguf(gguf_spelling().begin(std::uint64_t{1} << 63, 0).zeros(100), "tensors do not fit");
  check_corrupt_gguf(gguf_spelling().begin(5, 0).zeros(116), "5 tensors do not fit into the 124 bytes");
  check_corrupt_gguf(gguf_spelling().begin(0, most), "keys do not fit into the 0 bytes that are left");
  check_corrupt_gguf(gguf_spelling().begin(0, 3).zeros(41), "3 keys do not fit into the 41 bytes");
  const auto array = [](std::int32_t type, std::uint64_t count, std::size_t bytes) {
    gguf_spelling file;
    file.begin(0, 1).key("k", 9).number(type).number(count).zeros(bytes);
    return file;
  };
  check_corrupt_gguf(array(8, most, 64), "key 'k': 18446744073709551615 elements do not fit into the 64 bytes");
  check_corrupt_gguf(array(8, 9, 71), "key 'k': 9 elements do not fit into the 71 bytes");
  check_corrupt_gguf(array(12, 9, 71), "key 'k': 9 elements do not fit into the 71 bytes");
  check_corrupt_gguf(array(0, 72, 71), "key 'k': 72 elements do not fit into the 71 bytes");
  check_corrupt_gguf(gguf_spelling().begin(0, 1).number(most).zeros(64), "exceeds the limit of 1073741824");
  check_corrupt_gguf(gguf_spelling().begin(0, 1).number(std::uint64_t{65}).zeros(64), "expected 65 bytes at offset");
  check_corrupt_gguf(gguf_spelling().begin(0, 1).key("k", 8).number(most).zeros(64),
                     "key 'k': a string of 18446744073709551615 bytes exceeds the limit of 1073741824");
  check_corrupt_gguf(gguf_spelling().begin(0, 1).key("k", 8).number(std::uint64_t{65}).zeros(64),
                     "key 'k': expected 65 bytes at offset 45, got 64");
  check_corrupt_gguf(gguf_spelling().begin(1, 0).number(std::uint64_t{64}).zeros(100),
                     "tensor 0: a string of 64 bytes exceeds the limit of 63");
}

TEST_CASE("keys and their values") {
  const auto key = [](std::string_view name) {
    gguf_spelling file;
    file.begin(0, 1).key(name, 0).number(std::uint8_t{1});
    return file;
  };
  CHECK(is_accepted_gguf(key("general.name").bytes()));
  check_corrupt_gguf(key("").zeros(1), "a key is empty");
  check_corrupt_gguf(key(std::string_view("a\0b", 3)), "key 'a\\x00b' holds a zero byte");
  for (const std::string& name : {std::string(65536, 'k'), std::string("\xC3\xA9"), std::string("\xFF\n\x7f")}) {
    const std::string file = key(name).bytes();
    CHECK(open_gguf(file).value<std::uint8_t>(name) == 1);
  }
  gguf_spelling twice;
  for (const char* name : {"b", "a", "b"}) twice.key(name, 0).number(std::uint8_t{1});
  check_corrupt_gguf(gguf_spelling().begin(0, 3).raw(twice.bytes()), "duplicate key 'b'");
  for (const std::int32_t type : {13, -1, 255}) {
    check_corrupt_gguf(gguf_spelling().begin(0, 1).key("k", type).zeros(64),
                       "key 'k': unknown value type " + std::to_string(type));
    check_corrupt_gguf(gguf_spelling().begin(0, 1).key("k", 9).number(type).zeros(64),
                       "key 'k': unsupported array of type " + std::to_string(type));
  }
  check_corrupt_gguf(gguf_spelling().begin(0, 1).key("k", 9).number(std::int32_t{9}).zeros(64),
                     "key 'k': unsupported array of array");
  for (const int byte : {0, 1, 2, 255}) {
    gguf_spelling flag;
    flag.begin(0, 1).key("k", 7).number(static_cast<std::uint8_t>(byte));
    CHECK(open_gguf(flag.bytes()).value<bool>("k") == (byte != 0));
  }
  gguf_spelling flags;
  flags.begin(0, 1).key("k", 9).number(std::int32_t{7}).number(std::uint64_t{2}).raw(std::string("\xFF\0", 2));
  CHECK(open_gguf(flags.bytes()).value<std::vector<bool>>("k") == std::vector<bool>{true, false});
}

TEST_CASE("alignment") {
  const auto aligned = [](std::uint32_t alignment, std::uint64_t second, std::size_t data) {
    gguf_spelling file;
    file.begin(2, 1).key("general.alignment", 4).number(alignment);
    file.tensor("a", {3}, f32, 0).tensor("b", {1}, f32, second).pad(std::max(alignment, 1u)).zeros(data);
    return file;
  };
  for (const std::uint32_t alignment : {1u, 4u, 8u, 16u, 32u, 64u, 4096u}) {
    CAPTURE(alignment);
    const std::uint64_t second = alignment < 8 ? 12 : std::max(alignment, 16u);
    CHECK(is_accepted_gguf(aligned(alignment, second, second + 4).bytes()));
    CHECK(is_accepted_gguf(aligned(alignment, second, second + std::max(alignment, 4u)).bytes()));
    CHECK(is_accepted_gguf(aligned(alignment, second, second + alignment + 5).bytes()));
    check_corrupt_gguf(aligned(alignment, second, second + 3), "tensor 'b': expected 4 bytes of data from ");
    check_corrupt_gguf(aligned(alignment, second + alignment, 2 * second + 64), "tensor 'b': data begin at ");
    check_corrupt_gguf(aligned(alignment, 11, second + 4), "tensor 'b': data begin at 11, expected ");
  }
  for (const std::uint32_t alignment : {0u, 24u, 33u, ~0u}) {
    CAPTURE(alignment);
    gguf_spelling file;
    file.begin(0, 1).key("general.alignment", 4).number(alignment);
    check_corrupt_gguf(file,
                       "general.alignment: expected a u32 that is a power of two, got " + std::to_string(alignment));
  }
  check_corrupt_gguf(gguf_spelling().begin(0, 1).key("general.alignment", 10).number(std::uint64_t{32}),
                     "a power of two, got u64");
  CHECK(is_accepted_gguf(gguf_spelling().begin(0, 1).key("general.alignment", 4).number(0x80000000u).bytes()));
  gguf_spelling far;
  far.begin(1, 1).key("general.alignment", 4).number(0x80000000u).tensor("a", {0}, f32, 0);
  check_corrupt_gguf(far, "expected data from offset 2147483648, the file has ");
}

TEST_CASE("names and shapes of tensors") {
  const auto tensor = [](std::string_view name, const std::vector<std::int64_t>& extents, std::int32_t type = f32,
                         std::size_t data = 32) {
    gguf_spelling file;
    file.begin(1, 0).tensor(name, extents, type, 0).pad().zeros(data);
    return file;
  };
  CHECK(is_accepted_gguf(tensor(std::string(63, 'n'), {2}).bytes()));
  check_corrupt_gguf(tensor("", {2}), "a tensor has an empty name");
  check_corrupt_gguf(tensor("a\x1b", {2}), "tensor 'a\\x1b': the name holds a control character");
  check_corrupt_gguf(tensor(std::string_view("a\0b", 3), {2}), "the name holds a control character");
  CHECK(is_accepted_gguf(tensor("\xC3\xA9", {2}).bytes()));

  const std::string four = tensor("a", {3, 2, 1, 1}).bytes();
  CHECK(open_gguf(four).info("a").shape == std::vector<luq::index>{1, 1, 2, 3});
  const std::string scalar = tensor("a", {}).bytes();
  CHECK(open_gguf(scalar).info("a").shape.empty());
  CHECK(open_gguf(scalar).bytes("a").size() == 4);
  const std::string empty = tensor("a", {5, 0}, f32, 0).bytes();
  CHECK(open_gguf(empty).bytes("a").empty());
  check_corrupt_gguf(tensor("a", {1, 1, 1, 1, 1}), "tensor 'a': the shape has 5 extents, the limit is 4");
  check_corrupt_gguf(tensor("a", {4, -1}), "tensor 'a': the shape [-1, 4] is negative");
  constexpr std::int64_t large = std::int64_t{1} << 32;
  check_corrupt_gguf(tensor("a", {large, large}), "overflows");
  check_corrupt_gguf(tensor("a", {large, large, large, large}), "overflows");
  check_corrupt_gguf(tensor("a", {std::numeric_limits<std::int64_t>::max()}), "overflows");
  check_corrupt_gguf(tensor("a", {std::numeric_limits<std::int64_t>::max() - 1}),
                     "the bytes of f32 [9223372036854775806] overflow");
  check_corrupt_gguf(tensor("a", {large, large / 16}),
                     "expected 4611686018427387904 bytes of data from 0, the file has 32");
  check_corrupt_gguf(tensor("a", {33}, q4_0), "rows of 33 weights are not a multiple of 32, the block of q4_0");
  check_corrupt_gguf(tensor("a", {16, 2}, q4_0), "rows of 16 weights are not a multiple of 32");
  check_corrupt_gguf(tensor("a", {}, q4_0), "rows of 1 weights are not a multiple of 32");
  CHECK(is_accepted_gguf(tensor("a", {32, 1}, q4_0).bytes()));
  gguf_spelling twice;
  twice.begin(2, 0).tensor("a", {8}, f32, 0).tensor("a", {8}, f32, 32).pad().zeros(64);
  check_corrupt_gguf(twice, "duplicate tensor name 'a'");
}

TEST_CASE("data follow one another, and the file may go on behind them") {
  const auto pair = [](std::uint64_t first, std::uint64_t second, std::size_t data) {
    gguf_spelling file;
    file.begin(2, 0).tensor("a", {9}, f32, first).tensor("b", {1}, f32, second).pad().zeros(data);
    return file;
  };
  CHECK(is_accepted_gguf(pair(0, 64, 68).bytes()));
  CHECK(is_accepted_gguf(pair(0, 64, 96).bytes()));
  check_corrupt_gguf(pair(32, 96, 128), "tensor 'a': data begin at 32, expected 0");
  check_corrupt_gguf(pair(0, 32, 96), "tensor 'b': data begin at 32, expected 64, the end of those before it, padded");
  check_corrupt_gguf(pair(0, 36, 96), "tensor 'b': data begin at 36, expected 64");
  check_corrupt_gguf(pair(0, 96, 128), "tensor 'b': data begin at 96, expected 64");
  check_corrupt_gguf(pair(0, 0, 96), "tensor 'b': data begin at 0, expected 64");
  check_corrupt_gguf(pair(0, 64, 67), "tensor 'b': expected 4 bytes of data from 64, the file has 67 in all");
  check_corrupt_gguf(pair(0, 64, 36), "tensor 'b': expected 4 bytes of data from 64, the file has 36 in all");
  check_corrupt_gguf(pair(0, 64, 35), "tensor 'a': expected 36 bytes of data from 0, the file has 35 in all");
  for (const std::size_t data : {97u, 128u, 1000u}) {
    const std::string file = pair(0, 64, data).bytes();
    const luq::gguf_reader longer = open_gguf(file);
    check_gguf_consistency(longer);
    CHECK(longer.bytes("b").size() == 4);
    CHECK(longer.file_bytes() == file.size());
  }
  gguf_spelling unpadded;
  unpadded.begin(1, 0).tensor("a", {0}, f32, 0);
  check_corrupt_gguf(unpadded, "expected data from offset 64, the file has 57 bytes");
}

TEST_CASE("a tensor of unknown type is unreadable, the others are not") {
  const auto three = [](std::int64_t extent, std::uint64_t second, std::uint64_t third, std::size_t data) {
    gguf_spelling file;
    file.begin(3, 0).tensor("a", {8}, f32, 0).tensor("b", {extent}, unknown, second).tensor("c", {8}, f32, third);
    file.pad().zeros(data);
    return file;
  };
  const std::string file = three(5, 32, 128, 160).bytes();
  const luq::gguf_reader reader = open_gguf(file);
  check_gguf_consistency(reader);
  CHECK(static_cast<std::int32_t>(reader.info("b").type) == unknown);
  CHECK(reader.info("b").bytes() == 96);  // and what is padding of it, nobody knows
  CHECK(reader.bytes("c").size() == 32);
  check_fails(errc::unsupported, "x.gguf: tensor 'b': unknown ggml type 97",
              [&] { static_cast<void>(reader.bytes("b")); });
  CHECK(is_accepted_gguf(three(0, 32, 32, 64).bytes()));
  check_corrupt_gguf(three(5, 64, 128, 160), "tensor 'b': data begin at 64, expected 32");
  check_corrupt_gguf(three(5, 32, 32, 64), "tensor 'b': no bytes are left for it between 32 and 32");
  check_corrupt_gguf(three(5, 32, 0, 160), "tensor 'b': no bytes are left for it between 32 and 0");
  check_corrupt_gguf(three(5, 32, 100, 160), "tensor 'c': data begin at 100, not a multiple of the alignment 32");
  check_corrupt_gguf(three(5, 32, 160, 160), "tensor 'c': expected 32 bytes of data from 160, the file has 160 in all");
  check_corrupt_gguf(three(5, 32, ~std::uint64_t{31}, 160),
                     "tensor 'c': expected 32 bytes of data from 18446744073709551584");
  CHECK(is_accepted_gguf(three(5, 32, 128, 193).bytes()));

  const auto last = [](std::uint64_t offset, std::size_t data) {
    gguf_spelling spelled;
    spelled.begin(2, 0).tensor("a", {8}, f32, 0).tensor("b", {5, 2}, unknown, offset).pad().zeros(data);
    return spelled;
  };
  for (const std::size_t bytes : {1u, 31u, 32u, 1000u}) CHECK(is_accepted_gguf(last(32, 32 + bytes).bytes()));
  check_corrupt_gguf(last(32, 32), "tensor 'b': no bytes are left for it between 32 and 32");
  check_corrupt_gguf(last(64, 128), "tensor 'b': data begin at 64, expected 32");
  gguf_spelling two;
  two.begin(2, 0).tensor("a", {8}, unknown, 0).tensor("b", {8}, -5, 32).pad().zeros(64);
  CHECK(is_accepted_gguf(two.bytes()));
}

TEST_CASE("every truncation of a file is refused") {
  const std::string file = luq_test::gguf_reference();
  constexpr std::size_t last_padding = 32 - 18;
  for (std::size_t length = 0; length <= file.size(); ++length) {
    CAPTURE(length);
    CHECK(is_accepted_gguf(file.substr(0, length)) == (length >= file.size() - last_padding));
  }
}

TEST_CASE("every change of one byte is refused or leaves a consistent file") {
  const std::string file = luq_test::gguf_reference();
  int accepted = 0;
  for (std::size_t i = 0; i < file.size(); ++i) {
    for (const int change : {1, 2, 16, 32, 127, 128, 255}) {
      std::string changed = file;
      changed[i] = static_cast<char>(changed[i] ^ change);
      accepted += is_accepted_gguf(changed) ? 1 : 0;
    }
  }
  CHECK(accepted > 7 * 160);                                // the data at least
  CHECK(accepted < 7 * static_cast<int>(file.size()) / 2);  // and not much of the header
}

TEST_CASE("files are refused that are none") {
  const luq_test::scratch_directory scratch;
  check_fails(errc::io_failure, "cannot open", [&] { luq::gguf_reader{scratch / "missing"}; });
  check_fails(errc::io_failure, "expected a regular file", [&] { luq::gguf_reader{scratch.path()}; });
  luq_test::write_text(scratch / "empty", "");
  check_fails(errc::corrupt_file, "empty: header: expected 1 bytes at offset 0, got 0",
              [&] { luq::gguf_reader{scratch / "empty"}; });
}

TEST_CASE("a reader survives being moved, and notices a file that shrinks") {
  const luq_test::scratch_directory scratch;
  luq_test::write_text(scratch / "a", luq_test::gguf_reference());
  luq::gguf_reader first(scratch / "a");
  const luq::gguf_reader second(std::move(first));
  CHECK(second.bytes("up").size() == 72);
  std::filesystem::resize_file(scratch / "a", 700);
  check_fails(errc::io_failure, "the size changed while in use", [&] { static_cast<void>(second.bytes("up")); });
}

}  // namespace
