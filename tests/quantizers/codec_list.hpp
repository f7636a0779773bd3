// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Every codec, for tests that hold for each of them. `group` is small so that small matrices have several groups.
//
// With LUQ_TEST_REPRESENTATIVE_CODECS one of each kind: with two planes and zero points, of one bit, with a table of
// levels, with two classes of columns, and with codes that depend on each other. Under sanitizers tests of quantizers
// take most of their time to compile, and the others run the same code.
#pragma once

#include "luq/codecs/billm_codec.hpp"
#include "luq/codecs/binary_coding_codec.hpp"
#include "luq/codecs/int_codec.hpp"
#include "luq/codecs/lloyd_codec.hpp"
#include "luq/codecs/sign_codec.hpp"
#include "luq/codecs/ternary_codec.hpp"
#include "luq/codecs/trellis_codec.hpp"

namespace luq_test {

#ifdef LUQ_TEST_REPRESENTATIVE_CODECS
inline constexpr bool every_codec = false;
#else
inline constexpr bool every_codec = true;
#endif

/// Calls check(codec) for each codec with the given group whose codes do not depend on each other.
template <class Check>
void for_each_memoryless_codec(luq::index group, Check&& check) {
  if constexpr (every_codec) check(luq::int_codec<2>{.group = group});
  check(luq::int_codec<3>{.group = group});
  if constexpr (every_codec) check(luq::int_codec<4>{.group = group});
  if constexpr (every_codec) check(luq::int_codec<4>{.group = group, .symmetric = true});
  if constexpr (every_codec) check(luq::int_codec<8>{.group = group});
  check(luq::sign_codec{.group = group});
  if constexpr (every_codec) check(luq::ternary_codec{.group = group});
  if constexpr (every_codec) check(luq::binary_coding_codec{.group = group});
  check(luq::lloyd_codec<3>{.group = group});
  if constexpr (every_codec) check(luq::lloyd_codec<4>{.group = group});
  check(luq::billm_codec{.group = group});
}

/// Calls check(codec) for each codec with the given group.
template <class Check>
void for_each_codec(luq::index group, Check&& check) {
  for_each_memoryless_codec(group, check);
  if constexpr (every_codec) check(luq::trellis_codec<2>{.group = group});
  check(luq::trellis_codec<3>{.group = group});
  if constexpr (every_codec) check(luq::trellis_codec<4>{.group = group});
  if constexpr (every_codec) check(luq::trellis_codec<8>{.group = group});
}

}  // namespace luq_test
