// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The events of a JSON text, for readers that take what they want from it without a tree.
//
// IWYU pragma: private, include "luq/io/files/strict_json.hpp"
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "luq/core/error.hpp"
#include "luq/io/files/detail/printable.hpp"

namespace luq::detail {

/// The events of a JSON text, all refused until a derived class accepts them. Syntax errors become corrupt_file.
class json_events : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit json_events(std::string_view source) : source_(source) {}

  bool null() override { refuse("null"); }
  bool boolean(bool value) override { refuse(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override { refuse(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { refuse(std::to_string(value)); }
  bool number_float(number_float_t /*value*/, const string_t& text) override { refuse(printable(text, 40)); }
  bool string(string_t& value) override { refuse("the string " + in_quotes(value)); }
  bool binary(binary_t& /*value*/) override { refuse("binary data"); }
  bool start_object(std::size_t /*elements*/) override { refuse("an object"); }
  bool key(string_t& name) override { refuse("the key " + in_quotes(name)); }
  bool end_object() override { return true; }
  bool start_array(std::size_t /*elements*/) override { refuse("an array"); }
  bool end_array() override { return true; }

  bool parse_error(std::size_t /*position*/, const std::string& /*last_token*/,
                   const nlohmann::json::exception& reason) override {
    const std::string_view text = reason.what();  // "[json.exception.parse_error.101] parse error at line ..."
    const std::size_t tag_end = text.find("] ");
    fail(errc::corrupt_file, source_,
         ": invalid JSON: ", printable(tag_end == std::string_view::npos ? text : text.substr(tag_end + 2), 240));
  }

 protected:
  /// Throws: `event` occurred where expectation() should have.
  [[noreturn]] void refuse(const std::string& event) const {
    fail(errc::corrupt_file, source_, ": ", expectation(), ", got ", event);
  }

  /// "tensor 'x': expected ...", for the present position.
  [[nodiscard]] virtual std::string expectation() const = 0;

  [[nodiscard]] const std::string& source() const noexcept { return source_; }

 private:
  std::string source_;
};

/// Runs `events` over a whole JSON text.
inline void parse_json_events(std::string_view text, std::string_view source, json_events& events) {
  if (text.starts_with("\xEF\xBB\xBF"))
    fail(errc::corrupt_file, source, ": invalid JSON: begins with a byte order mark");

  // The message of a syntax error holds all that was read since the last string or number, eight characters for each
  // control character. Bounding their number keeps the message, and so the memory, in proportion to the text.
  constexpr int most_controls = 65536;
  int controls = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char character = text[i];
    if (character == '\0') fail(errc::corrupt_file, source, ": invalid JSON: NUL byte at position ", i);
    if (character == '"' || (character >= '0' && character <= '9')) {
      controls = 0;
    } else if (static_cast<unsigned char>(character) < 0x20 && ++controls > most_controls) {
      fail(errc::corrupt_file, source, ": invalid JSON: ", most_controls,
           " line breaks or tabs without a string or number among them");
    }
  }
  nlohmann::json::sax_parse(text.data(), text.data() + text.size(), &events);
}

}  // namespace luq::detail
