// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/core/error.hpp"

#include <doctest/doctest.h>

#include <string>

TEST_CASE("fail throws the code, and its parts as one message") {
  try {
    luq::fail(luq::errc::shape_mismatch, "layer ", 3, ": expected ", 2.5, ", got ", std::string("none"));
    FAIL("fail returned");
  } catch (const luq::error& e) {
    CHECK(e.code() == luq::errc::shape_mismatch);
    CHECK(std::string(e.what()) == "layer 3: expected 2.5, got none");
  }
}

TEST_CASE("an error is a std::runtime_error, so a program that knows no luq can report it") {
  CHECK_THROWS_AS(luq::fail(luq::errc::io_failure, "x"), std::runtime_error);
}
