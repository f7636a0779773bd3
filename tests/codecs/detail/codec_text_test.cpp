// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/codecs/detail/codec_text.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using luq::detail::option_lister;
using luq::detail::option_reader;
using luq::detail::option_writer;

namespace {

enum class flavour { plain, strong, stronger };

/// Options of each kind, as a codec has them.
struct options {
  bool round = false;
  flavour taste = flavour::plain;
  luq::index limit = 50;

  template <class Options, class Visitor>
  static constexpr void visit_options(Options& o, Visitor&& visitor) {
    visitor.flag("round", o.round);
    visitor.choice("strong", o.taste, flavour::strong);
    visitor.choice("stronger", o.taste, flavour::stronger);
    visitor.number('s', o.limit, 50);
  }
  friend bool operator==(const options&, const options&) = default;
};

[[nodiscard]] std::string written(luq::index group, const options& o) {
  option_writer writer("family", group);
  options::visit_options(o, writer);
  return writer.text();
}

struct reading {
  std::string family;
  luq::index group;
  options of;
  bool is_done;
};

[[nodiscard]] reading read(std::string_view text) {
  option_reader reader(text);
  options o;
  options::visit_options(o, reader);
  return {std::string(reader.family()), reader.group(), o, reader.is_done()};
}

}  // namespace

TEST_CASE("options that have their usual value are not named, and what is written is read") {
  CHECK(written(128, {}) == "family:g128");
  CHECK(written(0, {.round = true}) == "family:g0:round");
  CHECK(written(7, {.taste = flavour::stronger, .limit = 10}) == "family:g7:stronger:s10");
  for (const bool round : {false, true}) {
    for (const flavour taste : {flavour::plain, flavour::strong, flavour::stronger}) {
      for (const luq::index limit : {1, 49, 50, 51}) {
        const options o{round, taste, limit};
        CAPTURE(written(64, o));
        const reading again = read(written(64, o));
        CHECK(again.is_done);
        CHECK(again.family == "family");
        CHECK(again.group == 64);
        CHECK(again.of == o);
      }
    }
  }
}

TEST_CASE("a group is 128 unless it is said") {
  CHECK(read("family").is_done);
  CHECK(read("family").group == 128);
  CHECK(read("family:round").group == 128);
  CHECK(read("family:g0").group == 0);
  CHECK(read("family:g16777216").group == 16777216);
}

TEST_CASE("other texts than those that are written are not read to their end") {
  for (const char* text : {"family:",
                           "family:g",
                           "family:g-1",
                           "family:g01",
                           "family:g+1",
                           "family:g1x",
                           "family:g16777217",
                           "family:g99999999999999999999",
                           "family:G128",
                           "family::round",
                           "family:round:",
                           "family:round:round",
                           "family:strong:round",
                           "family:stronger:strong",
                           "family:s50",
                           "family:s0",
                           "family:s-3",
                           "family:s",
                           "family:unknown",
                           "family:g64:g64",
                           "family: round"}) {
    CAPTURE(text);
    CHECK_FALSE(read(text).is_done);
  }
  CHECK(read("").family.empty());
  CHECK(read(":").family.empty());
}

TEST_CASE("the options that there are") {
  const options o;
  option_lister lister;
  options::visit_options(o, lister);
  CHECK(lister.text() == "[:round][:strong][:stronger][:sNUMBER]");
}
