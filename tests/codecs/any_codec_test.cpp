// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/codecs/any_codec.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "codec_test_support.hpp"
#include "quantizers/codec_list.hpp"

using luq::any_codec;
using luq::int_range;
using luq::parse_codec;
using luq::saliency;

namespace {

/// A visitor of options that gives them the values which a number says: its digits, one for each option.
class option_chooser {
 public:
  explicit option_chooser(std::size_t number) : rest_(number) {}

  /// Whether the number has no digits beyond those for options.
  [[nodiscard]] bool is_done() const { return rest_ == 0; }

  void flag(std::string_view, bool& value) { value = digit(2) == 1; }
  template <class Option>
  void choice(std::string_view, Option& value, const Option& named) {
    if (digit(2) == 1) value = named;
  }
  void number(char, luq::index& value, luq::index usual) {
    const std::array<luq::index, 5> values{usual, 1, usual - 1, usual + 1, 1000};
    value = values[digit(values.size())];
  }

 private:
  std::size_t digit(std::size_t radix) {
    const std::size_t result = rest_ % radix;
    rest_ /= radix;
    return result;
  }

  std::size_t rest_;
};

/// Every combination of options of every codec, for some groups.
std::vector<any_codec> all_options() {
  std::vector<any_codec> codecs;
  for (const luq::index group : {0, 1, 7, 32, 128, 4096, 1 << 24}) {
    luq_test::for_each_alternative(std::type_identity<any_codec>(), group, [&](const auto& usual) {
      for (std::size_t number = 0;; ++number) {
        auto codec = usual;
        option_chooser chooser(number);
        if constexpr (requires { codec.visit_options(codec, chooser); }) codec.visit_options(codec, chooser);
        if (!chooser.is_done()) break;
        codecs.emplace_back(codec);
      }
    });
  }
  return codecs;
}

void check_malformed(const std::string& text) {
  CAPTURE(text);
  luq_test::check_fails(luq::errc::invalid_argument, "codec \"" + text + "\": expected FAMILY",
                        [&] { (void)parse_codec(text); });
}

}  // namespace

TEST_CASE("every codec and option is read back from its name, and no two share one") {
  std::set<std::string> names;
  for (const any_codec& codec : all_options()) {
    const std::string name = luq::codec_name(codec);
    CAPTURE(name);
    CHECK(names.insert(name).second);
    CHECK(parse_codec(name) == codec);
    CHECK(luq::codec_name(parse_codec(name)) == name);
  }
  for (const char* name : {"int8:g7", "int2:g0:sym:searched:onesided", "billm:g32:s49", "billm:g1:magnitude:s1000"}) {
    CHECK(names.contains(name));
  }
}

TEST_CASE("a family for each codec of the catalogue, which is a name of it") {
  const std::vector<std::string_view> families = luq::codec_families();
  REQUIRE(families.size() == std::variant_size_v<any_codec>);
  for (std::size_t i = 0; i < families.size(); ++i) {
    CAPTURE(families[i]);
    CHECK(parse_codec(families[i]).index() == i);
    CHECK(luq::codec_name(parse_codec(families[i])) == std::string(families[i]) + ":g128");
  }
}

TEST_CASE("canonical names") {
  struct row {
    any_codec codec;
    const char* name;
  };
  const std::vector<row> table{
      {luq::int_codec<2>{}, "int2:g128"},
      {luq::int_codec<3>{.group = 64, .symmetric = true}, "int3:g64:sym"},
      {luq::int_codec<4>{.symmetric = true, .range = int_range::searched}, "int4:g128:sym:searched"},
      {luq::int_codec<4>{.group = 32, .range = int_range::searched}, "int4:g32:searched"},
      {luq::int_codec<8>{.group = luq::whole_row}, "int8:g0"},
      {luq::int_codec<4>{.symmetric = true, .published_one_sided_range = true}, "int4:g128:sym:onesided"},
      {luq::sign_codec{}, "sign:g128"},
      {luq::ternary_codec{.group = luq::whole_row}, "ternary:g0"},
      {luq::binary_coding_codec{.group = 7}, "bcq2:g7"},
      {luq::lloyd_codec<4>{}, "lloyd4:g64"},
      {luq::trellis_codec<3>{.group = 0}, "trellis1.58:g0"},
      {luq::billm_codec{}, "billm:g128"},
      {luq::billm_codec{.group = 64, .metric = saliency::magnitude, .salient_limit = 10}, "billm:g64:magnitude:s10"},
      {luq::billm_codec{.salient_limit = 7}, "billm:g128:s7"},
  };
  for (const row& r : table) {
    CAPTURE(r.name);
    CHECK(luq::codec_name(r.codec) == r.name);
    CHECK(parse_codec(r.name) == r.codec);
  }
}

TEST_CASE("a group that is left out is 128") {
  CHECK(parse_codec("sign") == any_codec(luq::sign_codec{}));
  CHECK(parse_codec("int3") == any_codec(luq::int_codec<3>{}));
  CHECK(parse_codec("int4:sym:searched") ==
        any_codec(luq::int_codec<4>{.symmetric = true, .range = int_range::searched}));
  CHECK(parse_codec("billm:magnitude:s9") ==
        any_codec(luq::billm_codec{.metric = saliency::magnitude, .salient_limit = 9}));
}

TEST_CASE("malformed names") {
  const auto all_malformed = [](std::initializer_list<const char*> names) {
    for (const char* name : names) check_malformed(name);
  };
  // No family, or an unknown one.
  all_malformed({"", ":", " ", "g128", ":g128", "int", "int1", "int5", "int16", "int04", "Int4", "INT4", "sign1"});
  // Blanks and empty words.
  all_malformed({" int4", "int4 ", "int4:g128 ", "int4: g128", "int4:", "int4::", "int4:g128:", "int4::g128"});
  all_malformed({"int4:g128::sym", "int4:g128:sym:", "sign:", "billm:"});
  // Groups that are no canonical number, or beyond any matrix.
  all_malformed({"int4:128", "int4:g", "int4:gx", "int4:g12x", "int4:g1.5", "int4:g1e3", "int4:g+8", "int4:g 8"});
  all_malformed({"int4:g-8", "int4:g-1", "int4:g08", "int4:g00", "int4:g0x10", "int4:G128"});
  all_malformed({"int4:g16777217", "int4:g9223372036854775808", "int4:g99999999999999999999"});
  // Words twice or in another order than names have them.
  all_malformed({"int4:g128:g128", "int4:g64:sym:g64", "int4:sym:g128", "int4:g128:searched:sym"});
  all_malformed({"int4:g128:onesided:searched", "int4:g128:sym:sym", "billm:g128:s7:magnitude"});
  // Options that are misspelt, or of another codec.
  all_malformed({"int4:g128:symmetric", "int4:g128:Sym", "int4:g128:sy", "int4:g128:f32", "sign:g128:f32"});
  all_malformed({"sign:g128:sym", "ternary:g128:searched", "bcq2:sym", "int4:g128:magnitude", "int4:g128:s7"});
  all_malformed({"billm:g128:sym", "billm:g128:s", "billm:g128:s07", "billm:g128:sx", "billm:g128:s-3"});
  CHECK_THROWS_AS((void)parse_codec(std::string_view("int4\0", 5)), luq::error);
}

TEST_CASE("what is said of a malformed name is one line, whatever the name") {
  luq_test::check_fails(luq::errc::invalid_argument, "expected FAMILY", [] { (void)parse_codec("int4\nint8"); });
}

TEST_CASE("a number with a sign is malformed, zero included") {
  check_malformed("int4:g-0");
  check_malformed("sign:g-00");
  check_malformed("billm:g128:s-0");
}

TEST_CASE("a limit of salient columns is at least 1") {
  check_malformed("billm:g128:s0");
}

TEST_CASE("a default option is not written, and so not read") {
  check_malformed("billm:g128:s50");
}

TEST_CASE("nominal bits are those of the literature") {
  const auto nominal = [](const char* name) { return luq::nominal_bits(parse_codec(name)); };
  CHECK(nominal("int2") == 2);
  CHECK(nominal("int3:sym") == 3);
  CHECK(nominal("int4:g0") == 4);
  CHECK(nominal("int8") == 8);
  CHECK(nominal("sign") == 1);
  CHECK(nominal("ternary") == 1.58);
  CHECK(nominal("bcq2") == 2);
  CHECK(nominal("billm:s7") == 1.08);
}

TEST_CASE("true bytes and bits are those of the codec, and above the nominal bits") {
  luq_test::for_each_codec(32, [](const auto& codec) {
    const any_codec any = codec;
    CAPTURE(luq::codec_name(codec));
    CHECK(luq::codec_name(any) == luq::codec_name(codec));
    CHECK(luq::packed_bytes(any, 67, 70) == luq::packed_bytes(codec, 67, 70));
    CHECK(luq::bits_per_weight(any, 67, 70) ==
          8.0 * static_cast<double>(luq::packed_bytes(codec, 67, 70)) / (67.0 * 70.0));
    CHECK(luq::bits_per_weight(any, 67, 70) > luq::nominal_bits(any));
  });
  CHECK(luq::packed_bytes(luq::sign_codec{}, 64, 256) == 64 * 36);
  CHECK(luq::bits_per_weight(luq::sign_codec{}, 64, 256) == 1.125);
}
