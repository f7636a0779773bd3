// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The patterns by which GPTQ configurations name modules ("dynamic" in gptq_config.hpp): regular expressions that
// Python's re.match tries at the start of a module's name, so that `^` goes without saying and `$` does not.
//
// What is understood is what such patterns are made of, with the meaning it has in Python:
//
//   characters    any but the operators; `.` any but a line break; `\d \w \s` and `\D \W \S`, ASCII; `\.` and the like
//   classes       [abc], [a-z0-9], [^abc], [\d_]
//   groups        (one|other), (?:one|other)
//   repetition    * + ?, also lazy: *? +? ??
//   anchors       ^ and $
//
// The rest of Python's syntax (counts {m,n}, look-around, back references, flags, named groups, other escapes) and
// patterns beyond ASCII are refused by name, never guessed at. A name is taken byte by byte.
//
// Not std::regex: it backtracks, recursively in libstdc++, so a pattern from a file can take exponential time or the
// whole stack. Here a pattern becomes an automaton whose states are followed side by side (K. Thompson, Regular
// Expression Search Algorithm, CACM 11(6), 1968): time is at most the product of the two lengths, memory is in
// proportion to the pattern, and recursion is as deep as its groups are nested.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "luq/core/error.hpp"
#include "luq/io/files/detail/printable.hpp"

namespace luq {

/// The longest pattern that is compiled, in bytes.
inline constexpr std::size_t most_pattern_bytes = 65536;

/// The deepest nesting of groups in a pattern.
inline constexpr int most_pattern_depth = 32;

/// A compiled pattern.
class module_pattern {
 public:
  /// @throws luq::error invalid_argument if the text is no regular expression, unsupported if it is one beyond what is
  ///   listed above or beyond the limits
  explicit module_pattern(std::string text) : text_(std::move(text)) {
    if (text_.size() > most_pattern_bytes) {
      fail(errc::unsupported, "pattern ", detail::in_quotes(text_), ": ", text_.size(), " bytes exceed the limit of ",
           most_pattern_bytes);
    }
    const fragment whole = parse_alternatives(0);
    if (!at_end()) refuse("')' without '('");
    start_ = whole.begin;
    connect(whole.end, add(state_kind::accept));
  }

  [[nodiscard]] const std::string& text() const noexcept { return text_; }

  /// Whether the pattern matches at the start of `name`, as re.match has it.
  [[nodiscard]] bool matches(std::string_view name) const {
    std::vector<std::uint32_t> current;
    std::vector<std::uint32_t> next{start_};
    std::vector<std::size_t> reached(states_.size(),
                                     0);  // one more than the position at which a state was last entered
    std::vector<std::uint32_t> pending;
    for (std::size_t position = 0;; ++position) {
      current.clear();
      pending.swap(next);
      while (!pending.empty()) {  // follow what consumes nothing
        const std::uint32_t number = pending.back();
        pending.pop_back();
        if (reached[number] == position + 1) continue;
        reached[number] = position + 1;
        const state& s = states_[number];
        switch (s.kind) {
          case state_kind::accept:
            return true;
          case state_kind::byte:
          case state_kind::set:
            current.push_back(number);
            break;
          case state_kind::pass:
            pending.push_back(s.next);
            break;
          case state_kind::begin:
            if (position == 0) pending.push_back(s.next);
            break;
          case state_kind::end:
            if (position == name.size() || (position + 1 == name.size() && name[position] == '\n')) {
              pending.push_back(s.next);
            }
            break;
          case state_kind::fork:
            pending.push_back(s.next);
            pending.push_back(s.other);
            break;
        }
      }
      if (current.empty() || position == name.size()) return false;
      const auto byte = static_cast<unsigned char>(name[position]);
      for (const std::uint32_t number : current) {
        const state& s = states_[number];
        if (s.kind == state_kind::byte ? s.other == byte : sets_[s.other][byte]) next.push_back(s.next);
      }
    }
  }

  friend bool operator==(const module_pattern& a, const module_pattern& b) { return a.text_ == b.text_; }

 private:
  using byte_set = std::bitset<256>;

  enum class state_kind : std::uint8_t {
    pass,    // goes on to `next`
    fork,    // goes on to `next` and to `other`
    byte,    // consumes the byte `other`
    set,     // consumes a byte of sets_[other]
    begin,   // goes on at the start of the name
    end,     // goes on at its end
    accept,  // the pattern matches
  };
  struct state {
    state_kind kind;
    std::uint32_t next = 0;
    std::uint32_t other = 0;
  };
  /// Part of the automaton: entered at `begin`, left through `end`, whose `next` is open.
  struct fragment {
    std::uint32_t begin;
    std::uint32_t end;
  };

  [[nodiscard]] std::uint32_t add(state_kind kind, std::uint32_t next = 0, std::uint32_t other = 0) {
    states_.push_back({kind, next, other});
    return static_cast<std::uint32_t>(states_.size() - 1);
  }

  void connect(std::uint32_t end, std::uint32_t goal) { states_[end].next = goal; }

  [[nodiscard]] bool at_end() const { return position_ == text_.size(); }
  [[nodiscard]] char peek() const { return text_[position_]; }
  [[nodiscard]] bool take(char expected) {
    if (at_end() || peek() != expected) return false;
    ++position_;
    return true;
  }

  [[noreturn]] void refuse(const std::string& what, errc code = errc::invalid_argument) const {
    fail(code, "pattern ", detail::in_quotes(text_), ": ", what, code == errc::unsupported ? " is not supported" : "",
         ", at position ", position_);
  }

  [[nodiscard]] fragment parse_alternatives(int depth) {
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

  [[nodiscard]] fragment parse_sequence(int depth) {
    const std::uint32_t begin = add(state_kind::pass);
    fragment result{begin, begin};
    while (!at_end() && peek() != '|' && peek() != ')') {
      const fragment part = parse_repeated(depth);
      connect(result.end, part.begin);
      result.end = part.end;
    }
    return result;
  }

  [[nodiscard]] fragment parse_repeated(int depth) {
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

  [[nodiscard]] fragment parse_atom(int depth) {
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
        return one_of(~byte_set().set('\n'));
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

  [[nodiscard]] fragment parse_group(int depth) {
    if (take('?') && !take(':')) refuse("a group (?...) other than (?:...)", errc::unsupported);
    const fragment inside = parse_alternatives(depth + 1);
    if (!take(')')) refuse("'(' without ')'");
    return inside;
  }

  [[nodiscard]] fragment single(state_kind kind, std::uint32_t other = 0) {
    const std::uint32_t number = add(kind, 0, other);
    return {number, number};
  }

  [[nodiscard]] fragment one_of(const byte_set& bytes) {
    sets_.push_back(bytes);
    return single(state_kind::set, static_cast<std::uint32_t>(sets_.size() - 1));
  }

  /// What follows a backslash.
  [[nodiscard]] byte_set parse_escape() {
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

  /// What follows an opening bracket, the closing one included.
  [[nodiscard]] byte_set parse_class() {
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
      std::size_t from = 0;
      while (!first[from]) ++from;
      std::size_t to = 0;
      while (!last[to]) ++to;
      if (from > to) refuse("a range that ends before it begins");
      for (std::size_t byte = from; byte <= to; ++byte) bytes.set(byte);
    }
    ++position_;
    return negated ? ~bytes : bytes;
  }

  [[nodiscard]] byte_set parse_class_item() {
    if (at_end()) refuse("'[' without ']'");
    const char c = peek();
    if (static_cast<unsigned char>(c) >= 0x80) refuse("a character beyond ASCII", errc::unsupported);
    ++position_;
    return c == '\\' ? parse_escape() : byte_set().set(static_cast<unsigned char>(c));
  }

  std::string text_;
  std::size_t position_ = 0;  // of the parser
  std::vector<state> states_;
  std::vector<byte_set> sets_;
  std::uint32_t start_ = 0;
};

}  // namespace luq
