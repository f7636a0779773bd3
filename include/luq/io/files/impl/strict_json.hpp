// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/files/strict_json.hpp.
//
// IWYU pragma: private, include "luq/io/files/strict_json.hpp"
#pragma once

#include "luq/io/files/strict_json.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/io/files/detail/input_file.hpp"
#include "luq/io/files/detail/json_events.hpp"
#include "luq/io/files/detail/printable.hpp"

namespace luq {

namespace detail {

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

LUQ_INLINE nlohmann::json parse_strict_json(std::string_view text, std::string_view source, const json_limits& limits) {
  if (text.size() > static_cast<std::size_t>(limits.bytes)) {
    fail(errc::corrupt_file, source, ": ", text.size(), " bytes of JSON exceed the limit of ", limits.bytes);
  }
  detail::json_tree_builder builder(source, limits);
  detail::parse_json_events(text, source, builder);
  return builder.take();
}

LUQ_INLINE nlohmann::json read_strict_json(const std::filesystem::path& path, const json_limits& limits) {
  const detail::input_file file(path);
  const std::span<const std::byte> bytes = file.bytes();
  return parse_strict_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string(), limits);
}

}  // namespace luq
