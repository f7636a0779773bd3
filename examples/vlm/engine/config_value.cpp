// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "config_value.hpp"

#include <string>

namespace vlm {

activation read_activation(const json_section& json, const char* key, std::string_view fallback) {
  const std::string name = json.choice(key, fallback, {"gelu", "quick_gelu", "silu"});
  return name == "gelu" ? activation::gelu : name == "silu" ? activation::silu : activation::quick_gelu;
}

luq::index read_named_twice(const json_section& json, const char* name, const char* other_name, luq::index fallback,
                            luq::index least, luq::index most) {
  const luq::index other = json.integer(other_name, fallback, least, most);
  const luq::index value = json.integer(name, other, least, most);
  if (json.has(other_name) && value != other) {
    json.reject(other_name, std::string(name) + ", " + std::to_string(value), std::to_string(other));
  }
  return value;
}

void require_divisible(const json_section& json, const char* key, luq::index value, const char* by,
                       luq::index divisor) {
  if (value % divisor != 0) {
    json.reject(key, std::string("a multiple of ") + by + " = " + std::to_string(divisor), std::to_string(value));
  }
}

}  // namespace vlm
