// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Reads one object of a Hugging Face config.json. Such files leave out what equals the default and write null for
// "not set", so every value is read with its default; what is there must have the right kind and range.
#pragma once

#include <luq/core/index.hpp>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace vlm {

/// A view of a JSON object that names the file and the key in its errors (luq::error, corrupt_file). An absent or
/// null object reads as an empty one, and a null value as one that is not set.
class json_section {
 public:
  /// @param value  outlives the section; null pointer for an absent object
  /// @param where  names the object in messages, e.g. "model/config.json: text_config"
  json_section(const nlohmann::json* value, std::string where);

  /// The object of that key.
  [[nodiscard]] json_section section(const char* key) const;

  [[nodiscard]] bool has(const char* key) const { return find(key) != nullptr; }

  /// Whether the key is there with the value null, which to some keys means something else than their absence.
  [[nodiscard]] bool is_null(const char* key) const;

  /// Whether the object has no key at all.
  [[nodiscard]] bool empty() const;

  [[nodiscard]] luq::index integer(const char* key, luq::index fallback, luq::index least, luq::index most) const;

  /// A number > 0.
  [[nodiscard]] double positive(const char* key, double fallback) const;

  [[nodiscard]] bool boolean(const char* key, bool fallback) const;

  /// One of the strings that are known here.
  /// @throws luq::error unsupported if it is another one
  [[nodiscard]] std::string choice(const char* key, std::string_view fallback,
                                   const std::vector<std::string_view>& known) const;

  /// @throws luq::error unsupported if the key is set
  void require_none(const char* key) const;

  /// @throws luq::error unsupported if a key is set that is not in the list
  void require_only(const std::vector<std::string_view>& keys) const;

  /// @throws luq::error unsupported if the key is set to anything but a list of this string alone
  void require_every(const char* key, std::string_view element) const;

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
