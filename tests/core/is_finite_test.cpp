// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/core/is_finite.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>
#include <limits>

// With -ffast-math: tests/house/fast_math.cpp.

namespace {

template <class T>
void check_numbers_of_type() {
  using limits = std::numeric_limits<T>;
  for (const T x : {T{0}, -T{0}, T{1}, limits::max(), limits::lowest(), limits::min(), limits::denorm_min()}) {
    CHECK(luq::is_finite(x));
  }
  const T nan = limits::quiet_NaN();
  for (const T x : {nan, std::copysign(nan, T{-1}), limits::signaling_NaN(), limits::infinity(), -limits::infinity()}) {
    CHECK_FALSE(luq::is_finite(x));
  }
  static_assert(luq::is_finite(limits::max()) && !luq::is_finite(limits::infinity()));
}

}  // namespace

TEST_CASE("a number is finite unless all bits of its exponent are set") {
  check_numbers_of_type<float>();
  check_numbers_of_type<double>();
}

TEST_CASE("infinities are numbers, a NaN of any sign and payload is none") {
  using limits = std::numeric_limits<double>;
  for (const double x : {0.0, -1.0, limits::max(), limits::infinity(), -limits::infinity()}) {
    CHECK_FALSE(luq::is_nan(x));
  }
  for (const double x : {limits::quiet_NaN(), -limits::quiet_NaN(), limits::signaling_NaN()}) CHECK(luq::is_nan(x));
}
