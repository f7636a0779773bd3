// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>

#include "luq/core/detail/text_part.hpp"

namespace luq::detail {

LUQ_INLINE void text_part::append_to(std::string& text) const {
  char digits[32];  // 20 of an integer and its sign, 13 of a number of six digits
  char* end = digits;
  switch (kind_) {
    case kind::text:
      text += text_;
      return;
    case kind::integer:
      end = std::to_chars(digits, digits + sizeof(digits), integer_).ptr;
      break;
    case kind::natural:
      end = std::to_chars(digits, digits + sizeof(digits), natural_).ptr;
      break;
    case kind::real:
      end = std::to_chars(digits, digits + sizeof(digits), real_, std::chars_format::general, 6).ptr;
      break;
  }
  text.append(digits, end);
}

LUQ_INLINE std::string joined_text(const text_part* parts, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) parts[i].append_to(text);
  return text;
}

}  // namespace luq::detail
