// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Text made by streaming values one after the other. Numbers are written as in C++ source, 1234.5, whatever the locale
// of the program is: a stream takes that of std::locale::global() when it is made, and might write 1.234,5. C++20's
// std::format would do, but GCC 12 does not ship it. Not std::to_string for floating-point numbers: it follows
// setlocale().
#pragma once

#include <locale>
#include <sstream>
#include <string>

namespace luq {

template <class... Parts>
[[nodiscard]] std::string text_of(const Parts&... parts) {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  (text << ... << parts);
  return text.str();
}

}  // namespace luq
