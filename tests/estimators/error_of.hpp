// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The error that an action ends with, for tests that look at its code and its message.
#pragma once

#include <doctest/doctest.h>

#include "luq/core/error.hpp"

namespace luq_test {

template <class Action>
luq::error error_of(Action&& action) {
  try {
    action();
  } catch (const luq::error& e) {
    return e;
  }
  FAIL("no error");
  return {luq::errc::unsupported, ""};
}

}  // namespace luq_test
