// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/codecs/detail/codec_text.hpp.
#pragma once

#include <algorithm>
#include <charconv>
#include <system_error>

#include "luq/codecs/detail/codec_text.hpp"

namespace luq::detail {

LUQ_INLINE std::string one_line(std::string_view text) {
  std::string shown(text.substr(0, 80));
  std::replace_if(shown.begin(), shown.end(), [](char c) { return c < ' '; }, '?');
  return shown;
}

LUQ_INLINE option_reader::option_reader(std::string_view text) : rest_(text) {
  family_ = next();
  if (const index group = take_number('g'); group >= 0) group_ = group;
}

LUQ_INLINE void option_reader::number(char prefix, index& value, index usual) {
  const index number = take_number(prefix);
  if (number < 0) return;
  value = number;
  if (number < 1 || number == usual) is_refused_ = true;  // a name leaves the usual value out
}

LUQ_INLINE bool option_reader::take(std::string_view option) {
  option_reader ahead = *this;
  if (ahead.next() != option) return false;
  *this = ahead;
  return true;
}

LUQ_INLINE index option_reader::take_number(char prefix) {
  constexpr index largest = 1 << 24;  // beyond any matrix; keeps size arithmetic far from overflow
  option_reader ahead = *this;
  const std::string_view word = ahead.next();
  if (word.size() < 2 || word.front() != prefix || word[1] < '0' || word[1] > '9') return -1;
  if (word[1] == '0' && word.size() > 2) return -1;
  index number = 0;
  const auto [end, failure] = std::from_chars(word.data() + 1, word.data() + word.size(), number);
  if (failure != std::errc() || end != word.data() + word.size() || number > largest) return -1;
  *this = ahead;
  return number;
}

LUQ_INLINE std::string_view option_reader::next() {
  const auto colon = rest_.find(':');
  const std::string_view word = rest_.substr(0, colon);
  rest_ = colon == std::string_view::npos ? std::string_view() : rest_.substr(colon + 1);
  has_empty_end_ = colon != std::string_view::npos && rest_.empty();
  return word;
}

}  // namespace luq::detail
