// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The text form of a codec, FAMILY[:gGROUP][OPTIONS], written, read and shown by three visitors of the codec's options.
// A codec with options beyond its group has
//
//   template <class Codec, class Visitor>                             the codec is const where its name is written
//   static constexpr void visit_options(Codec& codec, Visitor&& visitor) {
//     visitor.flag("sym", codec.symmetric);                             ":sym" if true
//     visitor.choice("searched", codec.range, int_range::searched);     ":searched" if the option has that value
//     visitor.number('s', codec.salient_limit, 50);                     ":s10" unless it is 50
//   }
#pragma once

#include <string>
#include <string_view>

#include "luq/core/compiled.hpp"
#include "luq/core/index.hpp"

namespace luq::detail {

/// The beginning of what was typed, as a message of one line shows it.
[[nodiscard]] std::string one_line(std::string_view text);

/// Writes options.
class option_writer {
 public:
  option_writer(std::string_view family, index group) : text_(family) {
    append(std::string(1, 'g').append(std::to_string(group)));
  }

  [[nodiscard]] const std::string& text() const { return text_; }

  void flag(std::string_view name, bool value) {
    if (value) append(name);
  }
  template <class Option>
  void choice(std::string_view name, const Option& value, const Option& named) {
    if (value == named) append(name);
  }
  void number(char prefix, index value, index usual) {
    if (value != usual) append(std::string(1, prefix).append(std::to_string(value)));
  }

 private:
  void append(std::string_view option) {
    text_ += ':';
    text_ += option;
  }

  std::string text_;
};

/// Shows which options there are: "[:sym][:searched][:sNUMBER]".
class option_lister {
 public:
  [[nodiscard]] const std::string& text() const { return text_; }

  void flag(std::string_view name, bool /*value*/) { text_.append("[:").append(name).append("]"); }
  template <class Option>
  void choice(std::string_view name, const Option& /*value*/, const Option& /*named*/) {
    flag(name, false);
  }
  void number(char prefix, index /*value*/, index /*usual*/) { text_.append("[:").append(1, prefix).append("NUMBER]"); }

 private:
  std::string text_;
};

/// Reads options, in the order in which they are written; only what codec_name() writes.
class option_reader {
 public:
  /// Reads family and group.
  explicit option_reader(std::string_view text);

  [[nodiscard]] std::string_view family() const { return family_; }
  [[nodiscard]] index group() const { return group_; }

  /// Whether the whole text was read.
  [[nodiscard]] bool is_done() const { return rest_.empty() && !has_empty_end_ && !is_refused_; }

  void flag(std::string_view name, bool& value) { value = take(name); }
  template <class Option>
  void choice(std::string_view name, Option& value, const Option& named) {
    if (take(name)) value = named;
  }
  void number(char prefix, index& value, index usual);

 private:
  /// Consumes the next word if it is `option`.
  [[nodiscard]] bool take(std::string_view option);

  /// Consumes a number with the given prefix, such as "g128", in canonical decimal digits. Returns -1 if none is next.
  [[nodiscard]] index take_number(char prefix);

  std::string_view next();

  std::string_view rest_;
  std::string_view family_;
  index group_ = 128;
  bool has_empty_end_ = false;  // as "int4:" has
  bool is_refused_ = false;
};

}  // namespace luq::detail

#ifndef LUQ_COMPILED
#include "luq/codecs/impl/codec_text.hpp"
#endif
