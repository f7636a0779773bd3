// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "json_section.hpp"

#include <algorithm>
#include <cstdint>
#include <luq/core/error.hpp>
#include <nlohmann/json.hpp>
#include <utility>

namespace vlm {

namespace {

/// A value as messages show it, short and in printable ASCII.
std::string shown(const nlohmann::json& value) {
  const std::string text = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  constexpr std::size_t longest = 60;
  return text.size() <= longest ? text : text.substr(0, longest) + "...";
}

}  // namespace

json_section::json_section(const nlohmann::json* value, std::string where) : value_(value), where_(std::move(where)) {
  if (value_ != nullptr && value_->is_null()) value_ = nullptr;
  if (value_ != nullptr && !value_->is_object()) {
    luq::fail(luq::errc::corrupt_file, where_, ": expected an object, got ", shown(*value_));
  }
}

json_section json_section::section(const char* key) const {
  return {find(key), where_ + ": " + key};
}

bool json_section::is_null(const char* key) const {
  return value_ != nullptr && value_->contains(key) && find(key) == nullptr;
}

bool json_section::empty() const {
  return value_ == nullptr || value_->empty();
}

luq::index json_section::integer(const char* key, luq::index fallback, luq::index least, luq::index most) const {
  const nlohmann::json* const value = find(key);
  return value == nullptr ? fallback : checked_integer(key, *value, least, most);
}

double json_section::positive(const char* key, double fallback) const {
  const nlohmann::json* const value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_number() || !(value->get<double>() > 0)) reject(key, "a number > 0", shown(*value));
  return value->get<double>();
}

bool json_section::boolean(const char* key, bool fallback) const {
  const nlohmann::json* const value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) reject(key, "true or false", shown(*value));
  return value->get<bool>();
}

std::string json_section::choice(const char* key, std::string_view fallback,
                                 const std::vector<std::string_view>& known) const {
  const nlohmann::json* const value = find(key);
  if (value == nullptr) return std::string(fallback);
  std::string list;
  for (const std::string_view name : known) {
    if (*value == name) return std::string(name);
    list += (list.empty() ? "\"" : "\" or \"") + std::string(name);
  }
  luq::fail(luq::errc::unsupported, where_, ": ", key, ": expected ", list, "\", got ", shown(*value));
}

void json_section::require_none(const char* key) const {
  const nlohmann::json* const value = find(key);
  if (value != nullptr) luq::fail(luq::errc::unsupported, where_, ": ", key, ": expected none, got ", shown(*value));
}

void json_section::require_only(const std::vector<std::string_view>& keys) const {
  if (value_ == nullptr) return;
  for (const auto& [key, value] : value_->items()) {
    if (value.is_null() || std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
    std::string list;
    for (const std::string_view known : keys) list += (list.empty() ? "" : ", ") + std::string(known);
    luq::fail(luq::errc::unsupported, where_, ": expected no keys but ", list, ", got ", shown(nlohmann::json(key)));
  }
}

void json_section::require_every(const char* key, std::string_view element) const {
  const nlohmann::json* const value = find(key);
  if (value == nullptr) return;
  const bool is_every = value->is_array() && std::all_of(value->begin(), value->end(),
                                                         [&](const nlohmann::json& one) { return one == element; });
  if (!is_every) {
    luq::fail(luq::errc::unsupported, where_, ": ", key, ": expected a list of \"", element, "\", got ", shown(*value));
  }
}

std::vector<luq::index> json_section::integers(const char* key, std::vector<luq::index> fallback, luq::index least,
                                               luq::index most) const {
  const nlohmann::json* const value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_array()) return {checked_integer(key, *value, least, most)};
  std::vector<luq::index> result;
  for (const nlohmann::json& element : *value) result.push_back(checked_integer(key, element, least, most));
  return result;
}

void json_section::reject(const char* key, std::string_view expected, std::string_view got) const {
  luq::fail(luq::errc::corrupt_file, where_, ": ", key, ": expected ", expected, ", got ", got);
}

const nlohmann::json* json_section::find(const char* key) const {
  if (value_ == nullptr) return nullptr;
  const auto entry = value_->find(key);
  return entry == value_->end() || entry->is_null() ? nullptr : &*entry;
}

luq::index json_section::checked_integer(const char* key, const nlohmann::json& value, luq::index least,
                                         luq::index most) const {
  // A number above the range of int64 is not negative after conversion to uint64, so it is compared as such.
  const bool fits =
      value.is_number_unsigned()
          ? value.get<std::uint64_t>() <= static_cast<std::uint64_t>(most) && value.get<std::int64_t>() >= least
          : value.is_number_integer() && value.get<std::int64_t>() >= least && value.get<std::int64_t>() <= most;
  if (!fits) reject(key, "an integer in " + std::to_string(least) + " ... " + std::to_string(most), shown(value));
  return value.get<luq::index>();
}

}  // namespace vlm
