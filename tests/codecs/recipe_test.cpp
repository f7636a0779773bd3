// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/codecs/recipe.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "codec_test_support.hpp"

using luq::any_codec;
using luq::code_search;
using luq::errc;
using luq::parse_recipe;
using luq::recipe;
using luq::transform_method;
using luq_test::check_fails;

namespace {

/// One codec of each kind, with and without options.
const std::vector<any_codec> some_codecs{luq::int_codec<2>{.group = 64},
                                         luq::int_codec<3>{.group = luq::whole_row},
                                         luq::int_codec<4>{.group = 128, .symmetric = true},
                                         luq::int_codec<8>{.group = 32, .range = luq::int_range::searched},
                                         luq::sign_codec{.group = 128},
                                         luq::ternary_codec{.group = 256},
                                         luq::binary_coding_codec{.group = 128},
                                         luq::lloyd_codec<2>{.group = 16},
                                         luq::lloyd_codec<3>{.group = 64},
                                         luq::lloyd_codec<4>{.group = 128},
                                         luq::trellis_codec<2>{},
                                         luq::trellis_codec<3>{.group = 128},
                                         luq::trellis_codec<4>{.group = 512},
                                         luq::trellis_codec<8>{.group = 64},
                                         luq::trellis_codec<16>{.group = 64},
                                         luq::billm_codec{.group = 128, .metric = luq::saliency::magnitude}};

bool is_sequence(const any_codec& codec) {
  return std::visit([](const auto& c) { return luq::SequenceCodec<std::decay_t<decltype(c)>>; }, codec);
}

/// Calls check(recipe, text) for every combination of a transform, a codec and steps; `text` is put together here.
template <class Check>
void for_each_combination(Check&& check) {
  const std::vector<std::pair<transform_method, std::string>> transforms{{transform_method::none, ""},
                                                                         {transform_method::hadamard, "hadamard/"},
                                                                         {transform_method::awq, "awq/"},
                                                                         {transform_method::rowcol, "rowcol/"}};
  const std::vector<std::pair<code_search, std::string>> searches{{code_search::rtn, "rtn"},
                                                                  {code_search::gptq, "gptq"},
                                                                  {code_search::gptaq, "gptaq"},
                                                                  {code_search::billm, "billm"},
                                                                  {code_search::beam, "beam"}};
  for (const auto& [transform, transform_text] : transforms) {
    for (const any_codec& codec : some_codecs) {
      for (const bool propagates : {false, true}) {
        for (const auto& [search, search_text] : searches) {
          for (const bool refines : {false, true}) {
            const std::string text = transform_text + luq::codec_name(codec) + (propagates ? "/qep+" : "/") +
                                     search_text + (refines ? "+refine" : "");
            CAPTURE(text);
            check(recipe(transform, codec, search, refines, propagates), text);
          }
        }
      }
    }
  }
}

bool is_refused(const recipe& r) {
  const bool feeds_back = r.search == code_search::gptq || r.search == code_search::gptaq || r.refines;
  return (feeds_back && is_sequence(r.codec)) || (r.propagates_error && r.search == code_search::gptaq);
}

void check_refused(std::string_view text, const std::string& message) {
  CAPTURE(text);
  check_fails(errc::invalid_argument, message, [&] { (void)parse_recipe(text); });
}

}  // namespace

static_assert(std::is_convertible_v<luq::sign_codec, recipe> && std::is_convertible_v<any_codec, recipe>);

TEST_CASE("every combination of steps is what its text says, and is written as it is read") {
  std::set<std::string> texts;
  int refused = 0;
  for_each_combination([&](const recipe& r, const std::string& text) {
    CHECK(luq::recipe_name(r) == text);
    CHECK(texts.insert(text).second);
    if (is_refused(r)) {
      ++refused;
      check_fails(errc::invalid_argument, "recipe \"" + text + "\": expected ", [&] { luq::require_valid(r); });
      check_fails(errc::invalid_argument, "recipe \"" + text + "\": expected ", [&] { (void)parse_recipe(text); });
      return;
    }
    CHECK_NOTHROW(luq::require_valid(r));
    const recipe parsed = parse_recipe(text);
    CHECK(parsed.transform == r.transform);
    CHECK(parsed.codec == r.codec);
    CHECK(parsed.search == r.search);
    CHECK(parsed.refines == r.refines);
    CHECK(parsed.propagates_error == r.propagates_error);
    CHECK(parsed == r);
    CHECK(luq::recipe_name(parsed) == text);
  });
  CHECK(texts.size() == 4 * 16 * 2 * 10);
  // 5 sequence codecs: gptq, gptaq and all that is refined, 7 of 10; 11 others: qep with gptaq, 2 of 20.
  CHECK(refused == 4 * (5 * 2 * 7 + 11 * 2));
}

TEST_CASE("recipes that differ in one step are different") {
  const recipe r(transform_method::none, luq::sign_codec{}, code_search::rtn);
  CHECK(r == recipe(transform_method::none, luq::sign_codec{}, code_search::rtn, false, false));
  CHECK(r != recipe(transform_method::awq, luq::sign_codec{}, code_search::rtn));
  CHECK(r != recipe(transform_method::none, luq::sign_codec{.group = 64}, code_search::rtn));
  CHECK(r != recipe(transform_method::none, luq::sign_codec{}, code_search::beam));
  CHECK(r != recipe(transform_method::none, luq::sign_codec{}, code_search::rtn, true));
  CHECK(r != recipe(transform_method::none, luq::sign_codec{}, code_search::rtn, false, true));
}

TEST_CASE("a codec alone has the search that is best for it, and a group that is left out is 128") {
  for (const any_codec& codec : some_codecs) {
    const std::string name = luq::codec_name(codec);
    CAPTURE(name);
    const std::string best = is_sequence(codec) ? "/beam" : "/gptq+refine";
    CHECK(luq::recipe_name(recipe(codec)) == name + best);
    CHECK(luq::recipe_name(parse_recipe(name)) == name + best);
    CHECK(luq::recipe_name(parse_recipe("hadamard/" + name)) == "hadamard/" + name + best);
    CHECK(luq::recipe_name(parse_recipe("awq/" + name)) == "awq/" + name + best);
    CHECK(luq::recipe_name(parse_recipe("rowcol/" + name)) == "rowcol/" + name + best);
  }
  CHECK(luq::recipe_name(luq::sign_codec{}) == "sign:g128/gptq+refine");
  CHECK(luq::recipe_name(parse_recipe("sign")) == "sign:g128/gptq+refine");
  CHECK(luq::recipe_name(parse_recipe("sign/rtn")) == "sign:g128/rtn");
  CHECK(luq::recipe_name(parse_recipe("awq/int4:sym/gptq")) == "awq/int4:g128:sym/gptq");
  CHECK(luq::recipe_name(parse_recipe("hadamard/trellis2:g0")) == "hadamard/trellis2:g0/beam");
  CHECK(luq::recipe_name(parse_recipe("int2/qep+gptq+refine")) == "int2:g128/qep+gptq+refine");
}

TEST_CASE("another text is refused, and the message says what was expected") {
  const std::string search = "expected a search [qep+]SEARCH[+refine] of rtn, gptq, gptaq, billm and beam";
  for (const char* const steps : {"",
                                  "best",
                                  "GPTQ",
                                  "Gptq",
                                  "gptq ",
                                  " gptq",
                                  "gptq/rtn",
                                  "gptq/",
                                  "gptq+",
                                  "gptq+refine+refine",
                                  "gptq+refined",
                                  "gptq+Refine",
                                  "+refine",
                                  "refine",
                                  "qep+",
                                  "qep",
                                  "gptq+qep",
                                  "qep+qep+gptq",
                                  "QEP+gptq",
                                  "refine+gptq",
                                  "gptq+rtn",
                                  "rtn,gptq",
                                  "none"}) {
    const std::string text = std::string("int4:g128/") + steps;
    check_refused(text, "recipe \"" + text + "\": " + search);
    check_refused("hadamard/" + text, "recipe \"hadamard/" + text + "\": " + search);
  }
  check_refused("hadamard", "recipe \"hadamard\": expected a codec after the transform");
  check_refused("awq", "recipe \"awq\": expected a codec after the transform");
  check_refused("rowcol", "recipe \"rowcol\": expected a codec after the transform");
  check_refused("hadamard/", "codec \"\": expected FAMILY");
  check_refused("", "codec \"\": expected FAMILY");
  check_refused("/", "codec \"\": expected FAMILY");
  check_refused("/int4:g128", "codec \"\": expected FAMILY");
  check_refused("/gptq", "codec \"\": expected FAMILY");
  check_refused("hadamard//gptq", "codec \"\": expected FAMILY");
  check_refused("hadamard/awq/int4:g128", "codec \"awq\": expected FAMILY");
  check_refused("hadamard/hadamard/int4:g128", "codec \"hadamard\": expected FAMILY");
  check_refused("Hadamard/int4:g128", "codec \"Hadamard\": expected FAMILY");
  check_refused("HADAMARD/int4:g128/gptq", "codec \"HADAMARD\": expected FAMILY");
  check_refused("none/int4:g128", "codec \"none\": expected FAMILY");
  check_refused("scaling/int4:g128", "codec \"scaling\": expected FAMILY");
  check_refused("INT4:g128/gptq", "codec \"INT4:g128\": expected FAMILY");
  check_refused("int5:g128/gptq", "codec \"int5:g128\": expected FAMILY");
  check_refused("gptq", "codec \"gptq\": expected FAMILY");
  check_refused("gptq/int4:g128", "codec \"gptq\": expected FAMILY");
  check_refused(" int4:g128", "codec \" int4:g128\": expected FAMILY");
}

TEST_CASE("steps that do not go together are refused") {
  const std::string sequences = "expected beam, rtn or billm, without refine: codes depend on one another";
  for (const char* const text :
       {"trellis2:g0/gptq", "trellis2:g0/gptaq", "trellis4:g128/beam+refine", "hadamard/trellis3:g0/gptq+refine",
        "trellis2:g0/rtn+refine", "trellis2:g0/qep+gptq", "trellis2:g0/qep+gptaq"}) {
    check_refused(text, std::string("recipe \"") + text + "\": " + sequences);
  }
  const std::string drifts = "expected qep or gptaq: both answer the drift of the inputs";
  for (const char* const text : {"int4:g128/qep+gptaq", "awq/sign:g128/qep+gptaq+refine"}) {
    check_refused(text, std::string("recipe \"") + text + "\": " + drifts);
  }
}

TEST_CASE("what is said of a text is one line, however long it is and whatever is in it") {
  check_refused(std::string("int4:g128/\n\t\0gptq", 17), "recipe \"int4:g128/???gptq\": expected a search");
  check_refused("int4\n:g128/gptq", "codec \"int4?:g128\": expected FAMILY");
  check_refused("int4:g128/" + std::string(10000, 'x'), "recipe \"int4:g128/" + std::string(70, 'x') + "\": expected");
  check_refused(std::string(10000, '/'), "codec \"\": expected FAMILY");
}

TEST_CASE("the name of every combination tells what it needs") {
  for_each_combination([](const recipe& r, const std::string& text) {
    if (is_refused(r)) return;
    const auto names = [&](const char* step) { return text.find(step) != std::string::npos; };
    const bool drifts = names("/gptaq") || names("qep+");
    CHECK(luq::needs_drift(r) == drifts);
    const bool weights_alone = names("/rtn") && !names("+refine") && !text.starts_with("awq/");
    CHECK(luq::needs_inputs(r) == (drifts || !weights_alone));
    if (luq::needs_drift(r)) CHECK(luq::needs_inputs(r));
    CHECK(luq::stored_transform(r) == (text.starts_with("hadamard/")                             ? "hadamard"
                                       : text.starts_with("awq/") || text.starts_with("rowcol/") ? "scaling"
                                                                                                 : ""));
  });
  CHECK_FALSE(luq::needs_inputs(parse_recipe("hadamard/int4:g128/rtn")));
  CHECK_FALSE(luq::needs_inputs(parse_recipe("rowcol/sign:g128/rtn")));
  CHECK(luq::needs_inputs(parse_recipe("awq/int4:g128/rtn")));
  CHECK(luq::needs_inputs(parse_recipe("int4:g128/rtn+refine")));
  CHECK(luq::needs_drift(parse_recipe("int4:g128/qep+rtn")));
}

TEST_CASE("transforms are counted: 12 bytes of a rotation, 2 bytes a column of scales") {
  for_each_combination([](const recipe& r, const std::string&) {
    for (const auto& [rows, cols] : {std::pair<luq::index, luq::index>{1, 1}, {66, 40}, {64, 256}, {5, 1000}}) {
      const luq::index behind = r.transform == transform_method::none       ? 0
                                : r.transform == transform_method::hadamard ? 12
                                                                            : 2 * cols;
      CHECK(luq::packed_bytes(r, rows, cols) == luq::packed_bytes(r.codec, rows, cols) + behind);
      CHECK(luq::bits_per_weight(r, rows, cols) ==
            doctest::Approx(8.0 * static_cast<double>(luq::packed_bytes(r, rows, cols)) /
                            static_cast<double>(rows * cols)));
    }
  });
  CHECK(luq::packed_bytes(parse_recipe("sign:g128"), 64, 256) == 64 * 256 / 8 + 64 * 2 * 2);
  CHECK(luq::packed_bytes(parse_recipe("hadamard/sign:g128"), 64, 256) == 64 * 256 / 8 + 64 * 2 * 2 + 12);
  CHECK(luq::packed_bytes(parse_recipe("awq/sign:g128"), 64, 256) == 64 * 256 / 8 + 64 * 2 * 2 + 512);
  CHECK(luq::bits_per_weight(parse_recipe("rowcol/sign:g128"), 64, 256) == 1.125 + 16.0 / 64);
}
