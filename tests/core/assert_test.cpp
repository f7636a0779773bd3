// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include <stdexcept>

// A program may say what a broken precondition does, before it includes any header of the library.
#define LUQ_ASSERT(condition) \
  if (!(condition)) throw std::logic_error(#condition)

#include <doctest/doctest.h>

#include "luq/core/assert.hpp"
#include "luq/core/matrix_view.hpp"

TEST_CASE("a program's own LUQ_ASSERT is used") {
  const float value = 0;
  CHECK_NOTHROW(static_cast<void>(luq::view(&value, 1, 1, 1)));
  CHECK_THROWS_AS(static_cast<void>(luq::view(&value, 1, 2, 1)), std::logic_error);
  CHECK_THROWS_AS(static_cast<void>(luq::view(&value, -1, 1, 1)), std::logic_error);
}
