// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/codecs/detail/stored_scales.hpp"

#include <doctest/doctest.h>

#include <array>
#include <limits>

#include "codecs/codec_test_support.hpp"
#include "luq/core/error.hpp"
#include "luq/core/half.hpp"

using luq::detail::stored_value;
using luq_test::check_fails;

TEST_CASE("a stored value is the one that storage restores, and too large ones are bad data") {
  CHECK(stored_value<luq::half>(0.1f) == static_cast<float>(luq::half(0.1f)));
  CHECK(stored_value<luq::half>(65504.0f) == 65504.0f);
  CHECK(stored_value<luq::half>(-65519.0f) == -65504.0f);
  CHECK(stored_value<luq::half>(0x1p-26f) == 0.0f);
  CHECK(stored_value<float>(0.1f) == 0.1f);
  CHECK(stored_value<float>(std::numeric_limits<float>::max()) == std::numeric_limits<float>::max());
  constexpr float infinity = std::numeric_limits<float>::infinity();
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  using luq::errc;
  check_fails(errc::non_finite, "codec parameter 65520 does not fit its 16-bit storage type",
              [] { (void)stored_value<luq::half>(65520.0f); });
  check_fails(errc::non_finite, "-1e+06", [] { (void)stored_value<luq::half>(-1e6f); });
  check_fails(errc::non_finite, "16-bit", [] { (void)stored_value<luq::half>(nan); });
  check_fails(errc::non_finite, "32-bit", [] { (void)stored_value<float>(infinity); });
  check_fails(errc::non_finite, "32-bit", [] { (void)stored_value<float>(nan); });
}

TEST_CASE("scales are rounded to what is stored, all of them or none") {
  luq::detail::scale_rounder<3> rounder({0.1f, 65504.0f, -2.0f});
  rounder.scales<luq::half>(2);
  rounder.scales<float>(1);
  CHECK(rounder.fits());
  CHECK(rounder.rounded() == std::array<float, 3>{static_cast<float>(luq::half(0.1f)), 65504.0f, -2.0f});
  luq::detail::scale_rounder<2> too_large({65520.0f, 1.0f});
  too_large.scales<luq::half>(2);
  CHECK_FALSE(too_large.fits());
}
