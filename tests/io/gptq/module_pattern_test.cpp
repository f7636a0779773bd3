// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/gptq/module_pattern.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "io/io_test_support.hpp"

using luq::errc;
using luq_test::check_fails;

namespace {

bool matches(const std::string& pattern, std::string_view name) {
  return luq::module_pattern(pattern).matches(name);
}

}  // namespace

TEST_CASE("patterns of public configurations match what Python's re.match matches") {
  // Printed by a Python program that called re.match(pattern, name) for each of these names.
  const std::array<std::string, 8> names{"model.layers.0.self_attn.q_proj",
                                         "model.layers.10.mlp.up_proj",
                                         "model.layers.18.mlp.gate_proj",
                                         "model.layers.7.mlp.down_proj",
                                         "visual.blocks.3.attn.qkv",
                                         "lm_head",
                                         "",
                                         "modelXlayersX0"};
  struct row {
    std::string pattern;
    std::string expected;
  };
  const std::vector<row> rows = {
      {R"(model\.layers\.0\..*)", "10000000"},
      {R"(.*\.up_proj.*)", "01000000"},
      {R"(.*\.18\..*gate.*)", "00100000"},
      {R"(.*\.(?:1[0-5])\..*)", "01000000"},
      {R"(.*\.(?:1[6-9]|20|21)\..*)", "00100000"},
      {R"(^visual\..*)", "00001000"},
      {R"(^model\.layers\.(3|7|9)\..*)", "00010000"},
      {R"(model.layers.0)", "10000001"},
      {R"(.*mlp\.down_proj$)", "00010000"},
      {R"(lm_head)", "00000100"},
      {R"(layers)", "00000000"},
      {R"(^$)", "00000010"},
      {R"()", "11111111"},
      {R"(.*\.layers\.\d+\.mlp\.(gate|up)_proj$)", "01100000"},
      {R"(.*[^0-9][13579]\..*)", "00011000"},
      {R"(model\.(?:[a-z]+\.)*\d\..*)", "10010000"},
      {R"((a*)*b)", "00000000"},
      {R"(^\w+(?:\.\w+)+$)", "11111000"},
      {R"(.*\.(q|k|v|)_proj)", "10000000"},
      {R"([\w.]+?_proj)", "11110000"},
  };
  for (const row& row : rows) {
    CAPTURE(row.pattern);
    std::string got;
    for (const std::string& name : names) got += matches(row.pattern, name) ? '1' : '0';
    CHECK(got == row.expected);
  }
}

TEST_CASE("each operator") {
  CHECK(matches("a", "ab"));
  CHECK_FALSE(matches("b", "ab"));
  CHECK_FALSE(matches("ab", "a"));
  CHECK(matches("a$", "a"));
  CHECK(matches("a$", "a\n"));  // as in Python
  CHECK_FALSE(matches("a$", "a\n\n"));
  CHECK_FALSE(matches("a$", "ab"));
  CHECK(matches("^^a$$", "a"));
  CHECK_FALSE(matches("a^b", "ab"));
  CHECK_FALSE(matches(".", "\n"));
  CHECK(matches("a*$", ""));
  CHECK(matches("a*$", "aaa"));
  CHECK_FALSE(matches("a+$", ""));
  CHECK(matches("a+$", "aaa"));
  CHECK(matches("a?b$", "ab"));
  CHECK(matches("a?b$", "b"));
  CHECK_FALSE(matches("a?b$", "aab"));
  CHECK(
      matches("(?:a*?b+?c?"
              "?)$",
              "aabbc"));
  CHECK(matches("(ab|a)(bc|c)$", "abc"));
  CHECK(matches("(|a)b$", "b"));
  CHECK(matches("()*a", "a"));
  CHECK(matches("(a|b|c|d)*$", "dcba"));
  CHECK_FALSE(matches("(a|b|c|d)*$", "dceba"));
  CHECK(matches("[]a]+$", "]a"));
  CHECK(matches("[^]a]+$", "bc"));
  CHECK_FALSE(matches("[^]a]", "]"));
  CHECK(matches("[a-]+$", "a-"));
  CHECK(matches("[-a]+$", "a-"));
  CHECK(matches("[+--]+$", "+,-"));
  CHECK(matches("[a^]+$", "^a"));
  CHECK(matches(R"([\]\\]+$)", R"(]\)"));
  CHECK(matches(R"([\d_.]+$)", "1_.9"));
  CHECK_FALSE(matches(R"([\d_.]+$)", "1a"));
  CHECK(matches("]}", "]}"));
  for (int byte = 0; byte < 256; ++byte) {
    CAPTURE(byte);
    const std::string name(1, static_cast<char>(byte));
    const bool digit = byte >= '0' && byte <= '9';
    const bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
    const bool space = byte == ' ' || (byte >= 9 && byte <= 13);
    CHECK(matches(R"(\d)", name) == digit);
    CHECK(matches(R"(\D)", name) != digit);
    CHECK(matches(R"(\w)", name) == (digit || letter));
    CHECK(matches(R"(\W)", name) != (digit || letter));
    CHECK(matches(R"(\s)", name) == space);
    CHECK(matches(R"([\S])", name) != space);
    CHECK(matches(".", name) == (byte != '\n'));
  }
  for (const char c : std::string_view(R"(\.^$*+?()[]{}|-/)")) {
    const std::string name(1, c);
    CHECK(matches("\\" + name, name));
    CHECK_FALSE(matches("\\" + name, "a"));
  }
}

TEST_CASE("what is no pattern, and what is beyond this matcher") {
  struct row {
    std::string pattern;
    errc code;
    std::string_view fragment;
  };
  const std::vector<row> rows = {
      {"(", errc::invalid_argument, "'(' without ')', at position 1"},
      {"(a|b", errc::invalid_argument, "'(' without ')'"},
      {"a)", errc::invalid_argument, "')' without '(', at position 1"},
      {"[a", errc::invalid_argument, "'[' without ']'"},
      {"[]", errc::invalid_argument, "'[' without ']'"},
      {"[a-", errc::invalid_argument, "'[' without ']'"},
      {"a\\", errc::invalid_argument, "a backslash at the end"},
      {"[\\", errc::invalid_argument, "a backslash at the end"},
      {"*a", errc::invalid_argument, "nothing to repeat, at position 0"},
      {"a|+", errc::invalid_argument, "nothing to repeat"},
      {"(?:?)", errc::invalid_argument, "nothing to repeat"},
      {"^*", errc::invalid_argument, "a repeated anchor"},
      {"a**", errc::invalid_argument, "a repeated repetition"},
      {"a+?"
       "?",
       errc::invalid_argument, "a repeated repetition"},
      {"[z-a]", errc::invalid_argument, "a range that ends before it begins"},
      {"[\\d-z]", errc::invalid_argument, "a range between classes"},
      {"[a-\\w]", errc::invalid_argument, "a range between classes"},
      {"a{2}", errc::unsupported, "a count {m,n} is not supported, at position 1"},
      {"{2}", errc::unsupported, "a count {m,n} is not supported"},
      {"a*+", errc::unsupported, "a possessive repetition is not supported"},
      {"(?!a)", errc::unsupported, "a group (?...) other than (?:...) is not supported"},
      {"(?=a)", errc::unsupported, "a group (?...)"},
      {"(?P<n>a)", errc::unsupported, "a group (?...)"},
      {"(?i)a", errc::unsupported, "a group (?...)"},
      {"(?", errc::unsupported, "a group (?...)"},
      {R"((a)\1)", errc::unsupported, R"(the escape \1 is not supported)"},
      {R"(\bproj)", errc::unsupported, R"(the escape \b is not supported)"},
      {R"([\n])", errc::unsupported, R"(the escape \n is not supported)"},
      {"\xC3\xBC", errc::unsupported, "a character beyond ASCII is not supported"},
      {"[\xC3\xBC]", errc::unsupported, "a character beyond ASCII"},
      {"\\\xC3\xBC", errc::unsupported, R"(the escape \\xc3 is not supported)"},
  };
  for (const row& row : rows) {
    CAPTURE(row.pattern);
    check_fails(row.code, row.fragment, [&] { luq::module_pattern{row.pattern}; });
    check_fails(row.code, "pattern '", [&] { luq::module_pattern{row.pattern}; });
  }
}

TEST_CASE("limits") {
  CHECK(matches(std::string(luq::most_pattern_bytes, 'a'), std::string(luq::most_pattern_bytes, 'a')));
  check_fails(errc::unsupported, "65537 bytes exceed the limit of 65536",
              [] { luq::module_pattern{std::string(luq::most_pattern_bytes + 1, 'a')}; });
  const auto nested = [](std::size_t depth) { return std::string(depth, '(') + "a" + std::string(depth, ')'); };
  CHECK(matches(nested(32), "a"));
  check_fails(errc::unsupported, "nesting beyond 32 is not supported", [&] { luq::module_pattern{nested(33)}; });
  check_fails(errc::unsupported, "nesting beyond 32", [] { luq::module_pattern{std::string(60000, '(')}; });
}

TEST_CASE("patterns that keep a backtracking matcher busy for ever") {
  const std::string name(2000, 'a');
  CHECK_FALSE(matches("(a*)*b", name));
  CHECK_FALSE(matches("(a|a)*b", name));
  CHECK_FALSE(matches("(a|aa)+$", name + "c"));
  CHECK_FALSE(matches("((a*)*|(a*)*)*b", name));
  CHECK_FALSE(matches(".*.*.*.*.*.*.*.*.*.*b", name));
  std::string optional;
  for (int i = 0; i < 100; ++i) optional += "a?";
  CHECK(matches(optional + std::string(100, 'a') + "$", std::string(100, 'a')));
  std::string many = "(?:x";
  while (many.size() < 60000) many += "|a";
  CHECK_FALSE(matches(many + ")*b", name));
}

TEST_CASE("patterns are values") {
  CHECK(luq::module_pattern("a.*") == luq::module_pattern("a.*"));
  CHECK_FALSE(luq::module_pattern("a.*") == luq::module_pattern("a."));
  CHECK(luq::module_pattern("a.*").text() == "a.*");
}
