// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/core/text.hpp"

#include <doctest/doctest.h>

#include <sstream>
#include <string>

#include "foreign_locale.hpp"
#include "luq/core/error.hpp"

TEST_CASE("the parts of a text follow each other") {
  CHECK(luq::text_of("layer ", 3, ": ", std::string("up"), ' ', 0.5f) == "layer 3: up 0.5");
}

TEST_CASE("a text, and with it an error, does not depend on the locale") {
  const luq_test::foreign_locale locale;
  std::ostringstream affected;
  affected << 1234.5;
  REQUIRE(affected.str() == "1.234,5");
  CHECK(luq::text_of(1234.5, " and ", 1234567) == "1234.5 and 1234567");
  try {
    luq::fail(luq::errc::shape_mismatch, "expected ", 1024, ", got ", 1234.5);
  } catch (const luq::error& e) {
    CHECK(std::string(e.what()) == "expected 1024, got 1234.5");
  }
}
