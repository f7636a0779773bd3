// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Reads one object of a Hugging Face config.json. Such files leave out what equals the default and write null for
// "not set", so every value is read with its default; what is there must have the right kind and range.
#pragma once

#include <initializer_list>
#include <luq/core/index.hpp>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace vlm {

/// A view of a JSON object that names the file and the key in its errors (luq::error, corrupt_file). An absent or
/// null object reads as an empty one.
class json_section {
 public:
  /// @param value  outlives the section; null pointer for an absent object
  /// @param where  names the object in messages, e.g. "model/config.json: text_config"
  json_section(const nlohmann::json* value, std::string where);

  /// The object of that key.
  [[nodiscard]] json_section section(const char* key) const;

  [[nodiscard]] bool has(const char* key) const { return find(key) != nullptr; }

  [[nodiscard]] luq::index integer(const char* key, luq::index fallback, luq::index least, luq::index most) const;

  /// A number > 0.
  [[nodiscard]] double positive(const char* key, double fallback) const;

  [[nodiscard]] bool boolean(const char* key, bool fallback) const;

  /// One of the strings that are known here.
  /// @throws luq::error unsupported if it is another one
  [[nodiscard]] std::string choice(const char* key, std::string_view fallback,
                                   std::initializer_list<std::string_view> known) const;

  /// An integer or a list of them.
  [[nodiscard]] std::vector<luq::index> integers(const char* key, std::vector<luq::index> fallback, luq::index least,
                                                 luq::index most) const;

  /// The object's name in messages.
  [[nodiscard]] const std::string& where() const noexcept { return where_; }

  /// Throws corrupt_file with "<where>: <key>: expected <expected>, got <got>".
  [[noreturn]] void reject(const char* key, std::string_view expected, std::string_view got) const;

 private:
  [[nodiscard]] const nlohmann::json* find(const char* key) const;
  [[nodiscard]] luq::index checked_integer(const char* key, const nlohmann::json& value, luq::index least,
                                           luq::index most) const;

  const nlohmann::json* value_;
  std::string where_;
};

}  // namespace vlm
