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
// Expression Search Algorithm, CACM 11(6), 1968): time is at most the product of the two lengths, memory is at
// most fifty bytes for each of the pattern, and recursion is as deep as its groups are nested.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "luq/core/error.hpp"

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
  explicit module_pattern(std::string text);

  [[nodiscard]] const std::string& text() const noexcept { return text_; }

  /// Whether the pattern matches at the start of `name`, as re.match has it.
  [[nodiscard]] bool matches(std::string_view name) const;

  friend bool operator==(const module_pattern& a, const module_pattern& b) { return a.text_ == b.text_; }

 private:
  using byte_set = std::bitset<256>;

  enum class state_kind : std::uint8_t {
    pass,    // goes on to `next`
    fork,    // goes on to `next` and to `other`
    byte,    // consumes the byte `other`
    any,     // consumes a byte that is no line break
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

  /// Room for all that the text can make: a hostile one then takes no more for growing.
  void reserve();

  [[nodiscard]] std::uint32_t add(state_kind kind, std::uint32_t next = 0, std::uint32_t other = 0);

  void connect(std::uint32_t end, std::uint32_t goal) { states_[end].next = goal; }

  [[nodiscard]] bool at_end() const { return position_ == text_.size(); }
  [[nodiscard]] char peek() const { return text_[position_]; }
  [[nodiscard]] bool take(char expected);
  [[noreturn]] void refuse(const std::string& what, errc code = errc::invalid_argument) const;
  [[nodiscard]] fragment parse_alternatives(int depth);
  [[nodiscard]] fragment parse_sequence(int depth);
  [[nodiscard]] fragment parse_repeated(int depth);
  [[nodiscard]] fragment parse_atom(int depth);
  [[nodiscard]] fragment parse_group(int depth);
  [[nodiscard]] fragment single(state_kind kind, std::uint32_t other = 0);
  [[nodiscard]] fragment one_of(const byte_set& bytes);

  /// The least byte of a set that has one.
  [[nodiscard]] static std::size_t first_of(const byte_set& bytes);

  /// What follows a backslash.
  [[nodiscard]] byte_set parse_escape();

  /// What follows an opening bracket, the closing one included.
  [[nodiscard]] byte_set parse_class();
  [[nodiscard]] byte_set parse_class_item();

  std::string text_;
  std::size_t position_ = 0;  // of the parser
  std::vector<state> states_;
  std::vector<byte_set> sets_;
  std::uint32_t start_ = 0;
};

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/io/gptq/impl/module_pattern.hpp"
#endif
