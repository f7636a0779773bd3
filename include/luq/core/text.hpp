// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Text made of values, one after the other, as a stream of the "C" locale writes them: numbers as in C++ source,
// 1234.5, with six significant digits, whatever the locale of the program is. Not a stream, which each unit would
// compile anew for each list of parts; not std::format, which GCC 12 does not ship; not std::to_string, which follows
// setlocale().
#pragma once

#include <string>

#include "luq/core/compiled.hpp"
#include "luq/core/detail/text_part.hpp"

namespace luq {

/// The parts of a text: strings, characters, numbers and truth values, the last as 1 and 0.
template <class... Parts>
[[nodiscard]] std::string text_of(const Parts&... parts) {
  if constexpr (sizeof...(parts) == 0) {
    return {};
  } else {
    const detail::text_part list[]{detail::text_part(parts)...};
    return detail::joined_text(list, sizeof...(parts));
  }
}

}  // namespace luq
