// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/files/strict_json.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "io/io_test_support.hpp"

using luq::errc;
using luq_test::check_fails;

namespace {

nlohmann::json parse(std::string_view text) {
  return luq::parse_strict_json(text, "x.json");
}

TEST_CASE("valid JSON gives the tree that nlohmann::json gives") {
  for (const std::string_view text : {
           R"({})",
           R"([])",
           R"( null )",
           R"("text")",
           R"(-0)",
           R"(18446744073709551615)",
           R"(-9223372036854775808)",
           R"([1, -2, 3.5, 1e3, true, false, null, "", [], {}, [[]], [{}]])",
           R"({"a": {"a": {"a": 1}}, "b": [{"a": 1}, {"a": 2}], "": ""})",
           R"(["\u0000\n\t\"\\\/", "\ud83d\ude00 ü"])",
           "\r\n\t {\r\n\t \"a\"\r\n\t :\r\n\t 1\r\n\t }\r\n\t ",
       }) {
    CAPTURE(text);
    const nlohmann::json expected = nlohmann::json::parse(text);
    const nlohmann::json actual = parse(text);
    CHECK(actual == expected);
    CHECK(actual.dump() == expected.dump());
  }
}

TEST_CASE("numbers keep their kind") {
  const nlohmann::json value = parse("[3, -3, 3.0, 3e0, 18446744073709551615]");
  CHECK(value[0].is_number_unsigned());
  CHECK((value[1].is_number_integer() && !value[1].is_number_unsigned()));
  CHECK(value[2].is_number_float());
  CHECK(value[3].is_number_float());
  CHECK(value[4].get<std::uint64_t>() == std::numeric_limits<std::uint64_t>::max());
}

TEST_CASE("what is not JSON, or doubtful, is refused with its reason") {
  struct row {
    std::string text;
    std::string_view fragment;
  };
  const std::vector<row> rows = {
      {"", "unexpected end of input"},
      {"  ", "unexpected end of input"},
      {"{", "expected string literal"},
      {"[1,]", "unexpected ']'"},
      {"{\"a\":1,}", "expected string literal"},
      {"{a:1}", "invalid literal"},
      {"{'a':1}", "invalid literal"},
      {"{1:1}", "expected string literal"},
      {"[1 2]", "unexpected number literal"},
      {"01", "expected end of input"},
      {"+1", "invalid literal"},
      {"1.", "invalid number"},
      {".5", "invalid literal"},
      {"nul", "invalid literal"},
      {"NaN", "invalid literal"},
      {"[NaN]", "invalid literal"},
      {"[Infinity]", "invalid literal"},
      {"[-Infinity]", "invalid number"},
      {"[1e999]", "number overflow"},
      {"18446744073709551616", "18446744073709551616 does not fit 64 bits"},
      {"-9223372036854775809", "-9223372036854775809 does not fit 64 bits"},
      {"{} {}", "expected end of input"},
      {"{}x", "expected end of input"},
      {"// c\n{}", "invalid literal"},
      {"{} /* c */", "expected end of input"},
      {std::string("{}\0", 3), "NUL byte at position 2"},
      {std::string("{}\0garbage", 10), "NUL byte at position 2"},
      {std::string("[\"a\0b\"]", 7), "NUL byte at position 3"},
      {"\xEF\xBB\xBF{}", "byte order mark"},
      {"\"\xFF\"", "ill-formed UTF-8"},
      {"\"\xC0\x80\"", "ill-formed UTF-8"},
      {"\"\xED\xA0\x80\"", "ill-formed UTF-8"},
      {"\"\xF4\x90\x80\x80\"", "ill-formed UTF-8"},
      {"\"\xE2\x82\"", "ill-formed UTF-8"},
      {"\xC3\xBC", "invalid literal"},
      {"\"a\nb\"", "control character"},
      {R"("\x41")", "invalid string"},
      {R"("\ud800")", "surrogate"},
      {R"("\udc00")", "surrogate"},
      {R"({"a":1,"a":2})", "duplicate key 'a'"},
      {R"({"a":1,"\u0061":1})", "duplicate key 'a'"},
      {R"({"b":[{"c":{"a":1,"b":2,"a":null}}]})", "duplicate key 'a'"},
      {R"({"":1,"":2})", "duplicate key ''"},
      {R"({"\n":1,"\n":2})", R"(duplicate key '\x0a')"},
      {std::string(65537, '\n') + "{}", "65536 line breaks or tabs"},
  };
  for (const row& row : rows) {
    CAPTURE(row.text);
    check_fails(errc::corrupt_file, row.fragment, [&] { parse(row.text); });
    check_fails(errc::corrupt_file, "x.json: ", [&] { parse(row.text); });
  }
}

TEST_CASE("nesting is limited, arrays and objects alike") {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') + "1" + std::string(static_cast<std::size_t>(depth), ']');
  };
  CHECK_NOTHROW(parse(nested(64)));
  check_fails(errc::corrupt_file, "nested deeper than the limit of 64", [&] { parse(nested(65)); });
  check_fails(errc::corrupt_file, "nested deeper", [&] { parse(std::string(10'000'000, '[')); });
  std::string objects;
  for (int i = 0; i < 1'000'000; ++i) objects += "{\"a\":";
  check_fails(errc::corrupt_file, "nested deeper", [&] { parse(objects); });

  const luq::json_limits shallow{.depth = 2};
  CHECK(luq::parse_strict_json("[{}, [], 1]", "x.json", shallow).size() == 3);
  check_fails(errc::corrupt_file, "limit of 2",
              [&] { static_cast<void>(luq::parse_strict_json("[[[]]]", "x.json", shallow)); });
}

TEST_CASE("length is limited") {
  const luq::json_limits short_text{.bytes = 4};
  CHECK(luq::parse_strict_json("[12]", "x.json", short_text)[0] == 12);
  check_fails(errc::corrupt_file, "5 bytes of JSON exceed the limit of 4",
              [&] { static_cast<void>(luq::parse_strict_json("[123]", "x.json", short_text)); });
}

TEST_CASE("long and hostile text gives a short and printable message") {
  check_fails(errc::corrupt_file, "invalid", [&] { parse("\"" + std::string(1'000'000, 'a')); });
  check_fails(errc::corrupt_file, "invalid", [&] { parse(std::string(60'000, '\t') + "x"); });
  check_fails(errc::corrupt_file, "duplicate key 'aaaa", [&] {
    const std::string key(1000, 'a');
    parse("{\"" + key + "\":1,\"" + key + "\":2}");
  });
  try {
    parse("[\"\x1b[31m\xFF");
    FAIL_CHECK("accepted");
  } catch (const luq::error& failure) {
    for (const char character : std::string_view(failure.what())) CHECK((character >= 0x20 && character < 0x7f));
  }
}

TEST_CASE("files are read whole, regular ones only") {
  const luq_test::scratch_directory scratch;
  luq_test::write_text(scratch / "a.json", R"({"a": [1, 2]})");
  luq_test::write_text(scratch / "empty.json", "");
  CHECK(luq::read_strict_json(scratch / "a.json")["a"][1] == 2);
  check_fails(errc::corrupt_file, "empty.json: invalid JSON",
              [&] { static_cast<void>(luq::read_strict_json(scratch / "empty.json")); });
  check_fails(errc::io_failure, "none.json: cannot open",
              [&] { static_cast<void>(luq::read_strict_json(scratch / "none.json")); });
  check_fails(errc::io_failure, "expected a regular file",
              [&] { static_cast<void>(luq::read_strict_json(scratch.path())); });
}

}  // namespace
