// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/gptq/module_pattern.hpp.
//
// IWYU pragma: private, include "luq/io/gptq/module_pattern.hpp"
#pragma once

#include "luq/io/gptq/module_pattern.hpp"

#include <algorithm>
#include <utility>

#include "luq/core/compiled.hpp"
#include "luq/io/files/detail/printable.hpp"

namespace luq {

LUQ_INLINE module_pattern::module_pattern(std::string text) : text_(std::move(text)) {
  if (text_.size() > most_pattern_bytes) {
    fail(errc::unsupported, "pattern ", detail::in_quotes(text_), ": ", text_.size(), " bytes exceed the limit of ",
         most_pattern_bytes);
  }
  reserve();
  const fragment whole = parse_alternatives(0);
  if (!at_end()) refuse("')' without '('");
  start_ = whole.begin;
  connect(whole.end, add(state_kind::accept));
  states_.shrink_to_fit();
  sets_.shrink_to_fit();
}

LUQ_INLINE void module_pattern::reserve() {
  // A character makes one state, '(' and its ')' make two. A sign of repetition and '|' make two each. The whole adds
  // where it begins, where its alternatives meet, and acceptance.
  const auto count = [this](std::string_view signs) {
    return static_cast<std::size_t>(
        std::count_if(text_.begin(), text_.end(), [signs](char c) { return signs.find(c) != std::string_view::npos; }));
  };
  states_.reserve(text_.size() + count("*+?|") + 3);
  sets_.reserve(count("[\\"));
}

LUQ_INLINE bool module_pattern::matches(std::string_view name) const {
  std::vector<std::uint32_t> current;
  std::vector<std::uint32_t> next{start_};
  std::vector<std::uint32_t> pending;
  std::vector<bool> is_entered(states_.size());
  const auto enter = [&](std::uint32_t number) {
    if (is_entered[number]) return;
    is_entered[number] = true;
    pending.push_back(number);
  };
  for (std::size_t position = 0;; ++position) {
    is_entered.assign(states_.size(), false);
    for (const std::uint32_t number : next) enter(number);
    next.clear();
    current.clear();
    while (!pending.empty()) {  // follow what consumes nothing
      const std::uint32_t number = pending.back();
      pending.pop_back();
      const state& s = states_[number];
      switch (s.kind) {
        case state_kind::accept:
          return true;
        case state_kind::byte:
        case state_kind::any:
        case state_kind::set:
          current.push_back(number);
          break;
        case state_kind::pass:
          enter(s.next);
          break;
        case state_kind::begin:
          if (position == 0) enter(s.next);
          break;
        case state_kind::end:
          if (position == name.size() || (position + 1 == name.size() && name[position] == '\n')) enter(s.next);
          break;
        case state_kind::fork:
          enter(s.next);
          enter(s.other);
          break;
      }
    }
    if (current.empty() || position == name.size()) return false;
    const auto byte = static_cast<unsigned char>(name[position]);
    for (const std::uint32_t number : current) {
      const state& s = states_[number];
      const bool consumes = s.kind == state_kind::byte  ? s.other == byte
                            : s.kind == state_kind::any ? byte != '\n'
                                                        : sets_[s.other][byte];
      if (consumes) next.push_back(s.next);
    }
  }
}

LUQ_INLINE std::uint32_t module_pattern::add(state_kind kind, std::uint32_t next, std::uint32_t other) {
  states_.push_back({kind, next, other});
  return static_cast<std::uint32_t>(states_.size() - 1);
}

LUQ_INLINE bool module_pattern::take(char expected) {
  if (at_end() || peek() != expected) return false;
  ++position_;
  return true;
}

LUQ_INLINE void module_pattern::refuse(const std::string& what, errc code) const {
  fail(code, "pattern ", detail::in_quotes(text_), ": ", what, code == errc::unsupported ? " is not supported" : "",
       ", at position ", position_);
}

LUQ_INLINE module_pattern::fragment module_pattern::parse_alternatives(int depth) {
  if (depth > most_pattern_depth) refuse("nesting beyond " + std::to_string(most_pattern_depth), errc::unsupported);
  fragment result = parse_sequence(depth);
  if (at_end() || peek() != '|') return result;
  const std::uint32_t exit = add(state_kind::pass);
  connect(result.end, exit);
  while (take('|')) {
    const fragment branch = parse_sequence(depth);
    connect(branch.end, exit);
    result.begin = add(state_kind::fork, result.begin, branch.begin);
  }
  return {result.begin, exit};
}

LUQ_INLINE module_pattern::fragment module_pattern::parse_sequence(int depth) {
  const std::uint32_t begin = add(state_kind::pass);
  fragment result{begin, begin};
  while (!at_end() && peek() != '|' && peek() != ')') {
    const fragment part = parse_repeated(depth);
    connect(result.end, part.begin);
    result.end = part.end;
  }
  return result;
}

LUQ_INLINE module_pattern::fragment module_pattern::parse_repeated(int depth) {
  const bool is_anchor = peek() == '^' || peek() == '$';
  const fragment once = parse_atom(depth);
  if (at_end()) return once;
  const char sign = peek();
  if (sign == '{') refuse("a count {m,n}", errc::unsupported);
  if (sign != '*' && sign != '+' && sign != '?') return once;
  if (is_anchor) refuse("a repeated anchor");
  ++position_;
  if (!at_end() && peek() == '+') refuse("a possessive repetition", errc::unsupported);
  (void)take('?');  // lazy: the same names match
  if (!at_end() && (peek() == '*' || peek() == '+' || peek() == '?')) refuse("a repeated repetition");
  const std::uint32_t exit = add(state_kind::pass);
  const std::uint32_t choice = add(state_kind::fork, once.begin, exit);
  connect(once.end, sign == '?' ? exit : choice);
  return {sign == '+' ? once.begin : choice, exit};
}

LUQ_INLINE module_pattern::fragment module_pattern::parse_atom(int depth) {
  const char c = peek();
  if (static_cast<unsigned char>(c) >= 0x80) refuse("a character beyond ASCII", errc::unsupported);
  if (c == '*' || c == '+' || c == '?') refuse("nothing to repeat");
  if (c == '{') refuse("a count {m,n}", errc::unsupported);
  ++position_;
  switch (c) {
    case '^':
      return single(state_kind::begin);
    case '$':
      return single(state_kind::end);
    case '.':
      return single(state_kind::any);
    case '[':
      return one_of(parse_class());
    case '\\':
      return one_of(parse_escape());
    case '(':
      return parse_group(depth);
    default:
      return single(state_kind::byte, static_cast<unsigned char>(c));
  }
}

LUQ_INLINE module_pattern::fragment module_pattern::parse_group(int depth) {
  if (take('?') && !take(':')) refuse("a group (?...) other than (?:...)", errc::unsupported);
  const fragment inside = parse_alternatives(depth + 1);
  if (!take(')')) refuse("'(' without ')'");
  return inside;
}

LUQ_INLINE module_pattern::fragment module_pattern::single(state_kind kind, std::uint32_t other) {
  const std::uint32_t number = add(kind, 0, other);
  return {number, number};
}

LUQ_INLINE std::size_t module_pattern::first_of(const byte_set& bytes) {
  std::size_t byte = 0;
  while (!bytes[byte]) ++byte;
  return byte;
}

LUQ_INLINE module_pattern::fragment module_pattern::one_of(const byte_set& bytes) {
  if (bytes.count() == 1) return single(state_kind::byte, static_cast<std::uint32_t>(first_of(bytes)));
  sets_.push_back(bytes);
  return single(state_kind::set, static_cast<std::uint32_t>(sets_.size() - 1));
}

LUQ_INLINE module_pattern::byte_set module_pattern::parse_escape() {
  if (at_end()) refuse("a backslash at the end");
  const char c = peek();
  const std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const std::string_view digits = "0123456789";
  byte_set bytes;
  const auto include = [&bytes](std::string_view characters) {
    for (const char character : characters) bytes.set(static_cast<unsigned char>(character));
  };
  if (c == 'd' || c == 'D' || c == 'w' || c == 'W') include(digits);
  if (c == 'w' || c == 'W') include(letters);
  if (c == 'w' || c == 'W') include("_");
  if (c == 's' || c == 'S') include(" \t\n\r\f\v");
  if (bytes.none()) {
    if (letters.find(c) != std::string_view::npos || digits.find(c) != std::string_view::npos ||
        static_cast<unsigned char>(c) >= 0x80) {
      refuse("the escape \\" + detail::printable({&c, 1}, 1), errc::unsupported);
    }
    include({&c, 1});
  }
  ++position_;
  return c == 'D' || c == 'W' || c == 'S' ? ~bytes : bytes;
}

LUQ_INLINE module_pattern::byte_set module_pattern::parse_class() {
  const bool negated = take('^');
  byte_set bytes;
  bool is_first = true;
  while (is_first || at_end() || peek() != ']') {
    const byte_set first = parse_class_item();
    is_first = false;
    const bool is_range = position_ + 1 < text_.size() && peek() == '-' && text_[position_ + 1] != ']';
    if (!is_range) {
      bytes |= first;
      continue;
    }
    ++position_;
    const byte_set last = parse_class_item();
    if (first.count() != 1 || last.count() != 1) refuse("a range between classes");
    const std::size_t from = first_of(first);
    const std::size_t to = first_of(last);
    if (from > to) refuse("a range that ends before it begins");
    for (std::size_t byte = from; byte <= to; ++byte) bytes.set(byte);
  }
  ++position_;
  return negated ? ~bytes : bytes;
}

LUQ_INLINE module_pattern::byte_set module_pattern::parse_class_item() {
  if (at_end()) refuse("'[' without ']'");
  const char c = peek();
  if (static_cast<unsigned char>(c) >= 0x80) refuse("a character beyond ASCII", errc::unsupported);
  ++position_;
  return c == '\\' ? parse_escape() : byte_set().set(static_cast<unsigned char>(c));
}

}  // namespace luq
