// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Every codec of the catalogue, for tests that hold for each of them. `group` is small so that small matrices have
// several groups.
//
// With LUQ_TEST_REPRESENTATIVE_CODECS one of each kind: under sanitizers tests of quantizers take most of their time to
// compile, and the others run the same code.
#pragma once

#include <string_view>
#include <type_traits>
#include <variant>

#include "luq/codecs/any_codec.hpp"

namespace luq_test {

/// Whether tests are to hold for a codec.
template <class Codec>
[[nodiscard]] consteval bool is_tested() {
#ifdef LUQ_TEST_REPRESENTATIVE_CODECS
  // Two planes and zero points, one bit, a table of levels, two classes of columns, codes that depend on each other.
  for (const std::string_view family : {"int3", "sign", "lloyd3", "billm", "trellis1.58"}) {
    if (Codec::family == family) return true;
  }
  return false;
#else
  return true;
#endif
}

/// Calls check(codec) for each alternative of a std::variant of codecs, made by Codec{.group = group}.
template <class... Codec, class Check>
void for_each_alternative(std::type_identity<std::variant<Codec...>>, luq::index group, Check&& check) {
  (check(Codec{.group = group}), ...);
}

/// Calls check(codec) for each codec with the given group, and for a symmetric one.
template <class Check>
void for_each_codec(luq::index group, Check&& check) {
  for_each_alternative(std::type_identity<luq::any_codec>(), group, [&](const auto& codec) {
    using Codec = std::decay_t<decltype(codec)>;
    if constexpr (is_tested<Codec>()) check(codec);
  });
  if constexpr (is_tested<luq::int_codec<4>>()) check(luq::int_codec<4>{.group = group, .symmetric = true});
}

/// Calls check(codec) for each codec with the given group whose codes do not depend on each other.
template <class Check>
void for_each_memoryless_codec(luq::index group, Check&& check) {
  for_each_codec(group, [&](const auto& codec) {
    if constexpr (luq::MemorylessCodec<std::decay_t<decltype(codec)>>) check(codec);
  });
}

}  // namespace luq_test
