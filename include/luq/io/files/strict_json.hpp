// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// JSON as RFC 8259 defines it, for files that come from elsewhere. Beyond what nlohmann::json::parse checks, this
// reader refuses
//   - a key that occurs twice in an object (parsers disagree on which one counts, so a checker and a user of the same
//     file may see different values),
//   - nesting deeper than a limit, and text longer than a limit,
//   - an integer that does not fit 64 bits (it would silently become a rounded double),
//   - a NUL byte (the tokenizer takes it for the end of the text and would ignore what follows) and a byte order mark.
// Invalid UTF-8, NaN, infinities, numbers beyond double, comments and trailing text are refused by the tokenizer.
//
// Numbers keep their kind: unsigned, negative or floating-point, as written. Converting (a 3.0 where 3 is expected) is
// the business of whoever reads the value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "luq/core/error.hpp"
#include "luq/core/index.hpp"
#include "luq/io/files/detail/input_file.hpp"
#include "luq/io/files/detail/printable.hpp"

namespace luq {

/// What a JSON text may demand of its reader.
struct json_limits {
  index bytes = index{16} << 20;  ///< length of the text, > 0; an index of 100 000 tensors has about 9 MB. The tree of
                                  ///< a hostile text takes up to some forty times its length
  int depth = 64;                 ///< objects and arrays inside one another, > 0; configuration files use below 10
};

namespace detail {

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

/// Builds the tree of a JSON text.
class json_tree_builder final : public json_events {
 public:
  json_tree_builder(std::string_view source, const json_limits& limits) : json_events(source), limits_(limits) {}

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }

  bool number_float(number_float_t value, const string_t& text) override {
    if (text.find_first_of(".eE") == string_t::npos) {
      fail(errc::corrupt_file, source(), ": the integer ", printable(text, 40), " does not fit 64 bits");
    }
    return add(value);
  }

  bool start_object(std::size_t /*elements*/) override { return open(nlohmann::json::object()); }
  bool start_array(std::size_t /*elements*/) override { return open(nlohmann::json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    if (open_.back()->contains(name)) fail(errc::corrupt_file, source(), ": duplicate key ", in_quotes(name));
    key_ = std::move(name);
    return true;
  }

  [[nodiscard]] nlohmann::json take() { return std::move(root_); }

 protected:
  [[nodiscard]] std::string expectation() const override { return "expected a JSON value"; }

 private:
  bool add(nlohmann::json value) {
    place(std::move(value));
    return true;
  }

  nlohmann::json* place(nlohmann::json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    nlohmann::json& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    return &(parent[key_] = std::move(value));
  }

  bool open(nlohmann::json container) {
    if (open_.size() >= static_cast<std::size_t>(limits_.depth)) {
      fail(errc::corrupt_file, source(), ": nested deeper than the limit of ", limits_.depth);
    }
    open_.push_back(place(std::move(container)));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  json_limits limits_;
  nlohmann::json root_;
  std::vector<nlohmann::json*> open_;  // the containers that enclose the present position, outermost first
  std::string key_;
};

}  // namespace detail

/// The value of a JSON text.
/// @param source  names the text in messages, usually a path
/// @throws luq::error corrupt_file for every violation listed above; the message is one line
[[nodiscard]] inline nlohmann::json parse_strict_json(std::string_view text, std::string_view source,
                                                      const json_limits& limits = {}) {
  if (text.size() > static_cast<std::size_t>(limits.bytes)) {
    fail(errc::corrupt_file, source, ": ", text.size(), " bytes of JSON exceed the limit of ", limits.bytes);
  }
  detail::json_tree_builder builder(source, limits);
  detail::parse_json_events(text, source, builder);
  return builder.take();
}

/// The value of a JSON file.
/// @throws luq::error io_failure if it cannot be read or is not a regular file, otherwise as parse_strict_json
[[nodiscard]] inline nlohmann::json read_strict_json(const std::filesystem::path& path,
                                                     const json_limits& limits = {}) {
  const detail::input_file file(path);
  const std::span<const std::byte> bytes = file.bytes();
  return parse_strict_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string(), limits);
}

}  // namespace luq
