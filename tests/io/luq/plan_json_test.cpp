// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/luq/plan_json.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "foreign_locale.hpp"
#include "io/io_test_support.hpp"
#include "policy/random_model.hpp"

using luq::errc;
using luq_test::check_fails;

namespace {

/// Signs for a layer of two linears, nibbles for one of one, and an empty layer.
luq::plan small_plan() {
  return {{{{"a.up", 64, 128}, {"a.down", 128, 64}}, {{"b.up", 64, 128}}, {}},
          {luq::sign_codec{},
           luq::recipe(luq::transform_method::hadamard, luq::int_codec<4>{.symmetric = true}, luq::code_search::rtn),
           luq::ternary_codec{.group = luq::whole_row}},
          "by hand"};
}

constexpr std::string_view small_text = R"({
  "luq_plan": 2,
  "reason": "by hand",
  "bytes": 6668,
  "layers": [
    {
      "recipe": "sign:g128/gptq+refine",
      "linears": [
        {
          "name": "a.up",
          "rows": 64,
          "cols": 128,
          "bytes": 1152
        },
        {
          "name": "a.down",
          "rows": 128,
          "cols": 64,
          "bytes": 1280
        }
      ]
    },
    {
      "recipe": "hadamard/int4:g128:sym/rtn",
      "linears": [
        {
          "name": "b.up",
          "rows": 64,
          "cols": 128,
          "bytes": 4236
        }
      ]
    },
    {
      "recipe": "ternary:g0/gptq+refine",
      "linears": []
    }
  ]
})";

/// small_text with the first `from` replaced by `to`.
std::string changed_plan(std::string_view from, std::string_view to) {
  std::string text(small_text);
  const std::size_t position = text.find(from);
  REQUIRE(position != std::string::npos);
  return text.replace(position, from.size(), to);
}

void check_corrupt_plan(const std::string& text, std::string_view fragment) {
  CAPTURE(text);
  check_fails(errc::corrupt_file, fragment, [&] { (void)luq::plan_from_json(text, "plan.json"); });
  check_fails(errc::corrupt_file, "plan.json: ", [&] { (void)luq::plan_from_json(text, "plan.json"); });
}

}  // namespace

TEST_CASE("the text of a plan, to the letter") {
  CHECK(luq::plan_to_json(small_plan()) == small_text);
  CHECK(luq::plan_from_json(small_text, "text") == small_plan());
}

TEST_CASE("the text of a plan does not depend on the locale") {
  const luq_test::foreign_locale locale;
  CHECK(luq::plan_to_json(small_plan()) == small_text);
  CHECK(luq::plan_from_json(small_text, "text") == small_plan());
}

TEST_CASE("key order and white space are free") {
  const std::string text =
      R"({"layers":[{"linears":[{"bytes":1152,"cols":128,"rows":64,"name":"w"}],"recipe":"sign:g128/gptq+refine"}],"bytes":1152,)"
      R"("reason":"","luq_plan":2})";
  CHECK(luq::plan_from_json(text, "text") == luq::plan{{{{"w", 64, 128}}}, {luq::sign_codec{}}, ""});
}

TEST_CASE("any plan survives the round trip") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    CAPTURE(seed);
    luq::plan p{luq_test::random_model(seed), {}, "seed " + std::to_string(seed)};
    for (std::size_t layer = 0; layer < p.shape.size(); ++layer) {
      p.recipes.push_back(luq_test::random_codec(seed, layer));
    }
    const std::string text = luq::plan_to_json(p);
    const luq::plan restored = luq::plan_from_json(text, "text");
    CHECK(restored == p);
    CHECK(luq::plan_to_json(restored) == text);
    CHECK(luq::total_bytes(restored) == luq::total_bytes(p));
  }
}

TEST_CASE("every codec survives the round trip") {
  for (const luq::any_codec& codec : luq_test::all_codecs()) {
    const luq::plan p = luq::uniform_plan(luq_test::three_layers(), codec);
    CHECK(luq::plan_from_json(luq::plan_to_json(p), "text") == p);
  }
}

TEST_CASE("any text may be a name or a reason") {
  luq::plan p = small_plan();
  p.reason = "quotes \" \\ line\nbreak, tab\t, NUL-free \x01, \xC3\xA4\xE2\x82\xAC";
  p.shape[0][0].name = "\"\xF0\x9F\xA6\x99\"";
  CHECK(luq::plan_from_json(luq::plan_to_json(p), "text") == p);
}

TEST_CASE("a plan that cannot be written") {
  luq::plan p = small_plan();
  p.reason = "\xFF";
  check_fails(errc::invalid_argument, "'\\xff' is not UTF-8", [&] { (void)luq::plan_to_json(p); });
  p = small_plan();
  p.shape[1][0].name = "a\x80";
  check_fails(errc::invalid_argument, "is not UTF-8", [&] { (void)luq::plan_to_json(p); });
  p = small_plan();
  p.shape[1][0].name = "a.up";
  check_fails(errc::invalid_argument, "two linears are named a.up", [&] { (void)luq::plan_to_json(p); });
  p = small_plan();
  p.recipes.pop_back();
  check_fails(errc::shape_mismatch, "expected 3 recipes", [&] { (void)luq::plan_to_json(p); });
}

TEST_CASE("no plan at all") {
  for (const char* text : {"{}", "[]", "1", "null", "\"luq_plan\"", R"({"layers": []})"}) {
    check_corrupt_plan(text, "expected a plan, an object with the key luq_plan");
  }
  for (const std::string& text : {std::string(), std::string(small_text.substr(0, small_text.size() - 1)),
                                  std::string(small_text) + "}", std::string("plan")}) {
    check_corrupt_plan(text, "invalid JSON");
  }
}

TEST_CASE("every truncation is an error, never a crash") {
  for (std::size_t length = 0; length < small_text.size(); ++length) {
    CHECK_THROWS_AS((void)luq::plan_from_json(small_text.substr(0, length), "text"), luq::error);
  }
}

TEST_CASE("another version") {
  check_fails(errc::unsupported, "plan.json: luq_plan: expected version 2, got 1",
              [] { (void)luq::plan_from_json(R"({"luq_plan": 1, "anything": null})", "plan.json"); });
  check_corrupt_plan(changed_plan("\"luq_plan\": 2", "\"luq_plan\": \"2\""), "luq_plan: expected an integer");
}

TEST_CASE("unknown, missing and repeated keys") {
  check_corrupt_plan(changed_plan("\"reason\"", "\"note\": 1, \"reason\""), "plan: unknown key 'note'");
  check_corrupt_plan(changed_plan("\"recipe\"", "\"bits\": 1, \"recipe\""), "layer: unknown key 'bits'");
  check_corrupt_plan(changed_plan("\"rows\"", "\"bits\": 1, \"rows\""), "linear: unknown key 'bits'");
  check_corrupt_plan(changed_plan("\"reason\": \"by hand\",", ""), "plan: key 'reason' is missing");
  check_corrupt_plan(changed_plan("\"recipe\": \"sign:g128/gptq+refine\",", ""), "layer: key 'recipe' is missing");
  check_corrupt_plan(changed_plan("\"rows\": 64,", ""), "linear: key 'rows' is missing");
  check_corrupt_plan(changed_plan("\"rows\": 64,", "\"rows\": 64, \"rows\": 64,"), "duplicate key 'rows'");
  check_corrupt_plan(changed_plan("\"bytes\": 6668,", "\"bytes\": 6668, \"bytes\": 6668,"), "duplicate key 'bytes'");
}

TEST_CASE("values of the wrong type") {
  check_corrupt_plan(changed_plan("\"by hand\"", "7"), "reason: expected a string");
  check_corrupt_plan(changed_plan("\"by hand\"", "null"), "reason: expected a string");
  check_corrupt_plan(changed_plan("\"a.up\"", "[]"), "name: expected a string");
  check_corrupt_plan(changed_plan("\"sign:g128/gptq+refine\"", "1"), "recipe: expected a string");
  for (const char* bad : {"-64", "64.0", "6.4e1", "\"64\"", "true", "null", "[64]", "{}", "9223372036854775808"}) {
    check_corrupt_plan(changed_plan("\"rows\": 64", "\"rows\": " + std::string(bad)), "rows: expected an integer");
    check_corrupt_plan(changed_plan("\"bytes\": 1152", "\"bytes\": " + std::string(bad)), "bytes: expected an integer");
    check_corrupt_plan(changed_plan("\"bytes\": 6668", "\"bytes\": " + std::string(bad)), "bytes: expected an integer");
  }
  for (const char* bad : {"NaN", "Infinity", "nan", "0x40", "064", "+64"}) {
    check_corrupt_plan(changed_plan("\"rows\": 64", "\"rows\": " + std::string(bad)), "invalid JSON");
  }
  check_corrupt_plan(changed_plan("\"rows\": 64", "\"rows\": 18446744073709551616"), "does not fit 64 bits");
  check_corrupt_plan(changed_plan("\"linears\": []", "\"linears\": {}"), "linears: expected an array");
  check_corrupt_plan(changed_plan("\"linears\": []", "\"linears\": [1]"), "linear: expected an object");
  check_corrupt_plan(R"({"luq_plan": 2, "reason": "", "bytes": 0, "layers": {}})", "layers: expected an array");
  check_corrupt_plan(R"({"luq_plan": 2, "reason": "", "bytes": 0, "layers": [[]]})", "layer: expected an object");
}

TEST_CASE("recipes that do not exist, and abbreviations") {
  for (const char* bad : {"", "int5:g128", "sign", "sign:", "sign:g128:", "sign:g-1", "sign:g0128", "int4:sym",
                          "int4:g128:searched:sym", "billm:g128:s50", "SIGN:g128", "sign:g99999999999999999999"}) {
    check_corrupt_plan(changed_plan("sign:g128", bad), "");
  }
  for (const char* bad : {"sign:g128/", "sign:g128/best", "sign:g128/gptq/rtn", "turn/sign:g128/rtn",
                          "sign:g128/gptq+qep", "trellis2:g128/gptq", "sign:g128/qep+gptaq"}) {
    check_corrupt_plan(changed_plan("sign:g128/gptq+refine", bad), "");
  }
  check_corrupt_plan(changed_plan("sign:g128/", "sign/"),
                     "recipe 'sign/gptq+refine': expected the full form sign:g128/gptq+refine");
  check_corrupt_plan(changed_plan("sign:g128/gptq+refine", "sign:g128"),
                     "recipe 'sign:g128': expected the full form sign:g128/gptq+refine");
}

TEST_CASE("shapes that no model has") {
  check_corrupt_plan(changed_plan("\"rows\": 64", "\"rows\": 0"),
                     "a.up: expected at least one row and one column, got 0 x 128");
  check_corrupt_plan(changed_plan("\"a.up\"", "\"\""), "layer 0 has a linear without a name");
  check_corrupt_plan(changed_plan("\"b.up\"", "\"a.up\""), "two linears are named a.up");
  check_corrupt_plan(changed_plan("\"rows\": 64", "\"rows\": 9223372036854775807"), "the model exceeds");
  check_corrupt_plan(
      changed_plan("\"rows\": 64,\n          \"cols\": 128", "\"rows\": 4294967296, \"cols\": 4294967296"),
      "the model exceeds");
  check_corrupt_plan(R"({"luq_plan": 2, "reason": "", "bytes": 0, "layers": []})", "expected at least one linear");
}

TEST_CASE("a hostile name cannot break the one-line message") {
  std::string lie = changed_plan("\"b.up\"", R"("a\n\u001b[2J")");
  check_corrupt_plan(lie.replace(lie.find("4236"), 4, "4237"), "bytes of linear 'a\\x0a\\x1b[2J': expected 4236");
  std::string text = changed_plan("\"b.up\"", R"("a\n\u001b[2J")");
  text.replace(text.find("\"a.up\""), 6, R"("a\n\u001b[2J")");
  check_corrupt_plan(text, "two linears are named a\\x0a\\x1b[2J");
  check_corrupt_plan(changed_plan("\"a.up\"", "\"" + std::string(100000, 'a') + "\", \"x\": 1"), "unknown key 'x'");
  std::string twice = changed_plan("\"b.up\"", "\"" + std::string(100000, 'a') + "\"");
  twice.replace(twice.find("\"a.up\""), 6, "\"" + std::string(100000, 'a') + "\"");
  check_corrupt_plan(twice, "two linears are named aaa");
}

TEST_CASE("byte counts that contradict codec and shape") {
  check_corrupt_plan(changed_plan("\"bytes\": 1280", "\"bytes\": 1281"),
                     "bytes of linear 'a.down': expected 1280 by codec and shape, got 1281");
  check_corrupt_plan(changed_plan("\"bytes\": 6668", "\"bytes\": 6667"),
                     "bytes of the plan: expected 6668 by codec and shape, got 6667");
  check_corrupt_plan(changed_plan("sign:g128", "sign:g64"),
                     "bytes of linear 'a.up': expected 1280 by codec and shape, got 1152");
  check_corrupt_plan(changed_plan("\"cols\": 64", "\"cols\": 65"), "bytes of linear 'a.down'");
}
