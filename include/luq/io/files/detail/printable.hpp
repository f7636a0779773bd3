// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Text from files, made fit for a one-line message: whatever is not printable ASCII is shown as \xNN, so that a
// hostile name cannot move a terminal's cursor, and long text is cut.
//
// IWYU pragma: private, include "luq/io/safetensors/safetensors.hpp"
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace luq::detail {

/// At most `limit` characters of `text`, escaped; "..." marks a cut.
[[nodiscard]] inline std::string printable(std::string_view text, std::size_t limit) {
  constexpr std::string_view hex_digits = "0123456789abcdef";
  std::string result;
  for (const char character : text.substr(0, limit)) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte >= 0x20 && byte < 0x7f) {
      result += character;
    } else {
      result += "\\x";
      result += hex_digits[byte >> 4];
      result += hex_digits[byte & 15u];
    }
  }
  return text.size() > limit ? result + "..." : result;
}

/// A name from a file, in quotes. Not "'" + printable(...) + "'": of one character before a temporary string, GCC 12
/// warns with -O3 that it may overlap it.
[[nodiscard]] inline std::string in_quotes(std::string_view name) {
  std::string result = "'";
  result += printable(name, 96);
  result += '\'';
  return result;
}

}  // namespace luq::detail
