// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/core/progress.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

namespace {

struct transcript : luq::progress_observer {
  std::string text;
  void begin(std::string_view task, std::uint64_t units) override {
    text += "begin " + std::string(task) + " " + std::to_string(units) + ";";
  }
  void advance(std::uint64_t units) override { text += "advance " + std::to_string(units) + ";"; }
  void end() override { text += "end;"; }
};

}  // namespace

TEST_CASE("a scope begins, advances and ends") {
  transcript observer;
  {
    luq::progress_scope scope(&observer, "tokens", 10);
    scope.advance();
    scope.advance(9);
  }
  CHECK(observer.text == "begin tokens 10;advance 1;advance 9;end;");
}

TEST_CASE("a scope ends when an exception leaves it") {
  transcript observer;
  try {
    const luq::progress_scope scope(&observer, "tokens", 1);
    throw std::runtime_error("broken off");
  } catch (const std::runtime_error&) {
  }
  CHECK(observer.text == "begin tokens 1;end;");
}

TEST_CASE("a scope without an observer is silent") {
  luq::progress_scope scope(nullptr, "tokens", 10);
  CHECK_NOTHROW(scope.advance(5));
}
