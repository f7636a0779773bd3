// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/luq/plan_json.hpp.
//
// IWYU pragma: private, include "luq/io/luq/plan_json.hpp"
#pragma once

#include "luq/io/luq/plan_json.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>

#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/core/index.hpp"
#include "luq/io/files/detail/printable.hpp"
#include "luq/io/files/strict_json.hpp"

namespace luq {

LUQ_INLINE std::string plan_to_json(const plan& p) {
  require_consistent(p);
  nlohmann::ordered_json layers = nlohmann::ordered_json::array();
  for (std::size_t layer = 0; layer < p.shape.size(); ++layer) {
    nlohmann::ordered_json linears = nlohmann::ordered_json::array();
    for (const linear_shape& linear : p.shape[layer]) {
      linears.push_back({{"name", linear.name},
                         {"rows", linear.rows},
                         {"cols", linear.cols},
                         {"bytes", packed_bytes(p.recipes[layer], linear.rows, linear.cols)}});
    }
    layers.push_back({{"recipe", recipe_name(p.recipes[layer])}, {"linears", linears}});
  }
  const nlohmann::ordered_json root{
      {"luq_plan", 2}, {"reason", p.reason}, {"bytes", total_bytes(p)}, {"layers", layers}};
  try {
    return root.dump(2);
  } catch (const nlohmann::json::exception&) {
    fail(errc::invalid_argument, "plan: a name or the reason ", detail::in_quotes(p.reason), " is not UTF-8");
  }
}

namespace detail {

/// Reads one plan, with the source's name for messages.
class plan_json_reader {
 public:
  explicit plan_json_reader(std::string_view source) : source_(source) {}

  [[nodiscard]] plan read(const nlohmann::json& root) const {
    if (!root.is_object() || !root.contains("luq_plan")) {
      fail(errc::corrupt_file, source_, ": expected a plan, an object with the key luq_plan");
    }
    const index version = integer(root["luq_plan"], "luq_plan");
    if (version != 2) fail(errc::unsupported, source_, ": luq_plan: expected version 2, got ", version);
    require_keys(root, "plan", {"luq_plan", "reason", "bytes", "layers"});
    plan result;
    result.reason = string(root["reason"], "reason");
    for (const auto& layer : array(root["layers"], "layers")) {
      require_keys(layer, "layer", {"recipe", "linears"});
      result.recipes.push_back(read_recipe(layer["recipe"]));
      layer_shape& linears = result.shape.emplace_back();
      for (const auto& linear : array(layer["linears"], "linears")) linears.push_back(read_linear(linear));
    }
    as_corrupt_file([&] { require_valid(result.shape); });  // from here on no byte count can overflow
    require_bytes(root, result);
    return result;
  }

 private:
  [[nodiscard]] linear_shape read_linear(const nlohmann::json& value) const {
    require_keys(value, "linear", {"name", "rows", "cols", "bytes"});
    return {string(value["name"], "name"), integer(value["rows"], "rows"), integer(value["cols"], "cols")};
  }

  /// All stated byte counts follow from codecs and shapes.
  void require_bytes(const nlohmann::json& root, const plan& p) const {
    for (std::size_t layer = 0; layer < p.shape.size(); ++layer) {
      for (std::size_t i = 0; i < p.shape[layer].size(); ++i) {
        const linear_shape& linear = p.shape[layer][i];
        require_equal(integer(root["layers"][layer]["linears"][i]["bytes"], "bytes"),
                      packed_bytes(p.recipes[layer], linear.rows, linear.cols),
                      "bytes of linear " + in_quotes(linear.name));
      }
    }
    require_equal(integer(root["bytes"], "bytes"), total_bytes(p), "bytes of the plan");
  }

  void require_equal(index got, index expected, const std::string& what) const {
    if (got != expected) {
      fail(errc::corrupt_file, source_, ": ", what, ": expected ", expected, " by codec and shape, got ", got);
    }
  }

  void require_keys(const nlohmann::json& value, const char* what, std::initializer_list<std::string_view> keys) const {
    if (!value.is_object()) fail(errc::corrupt_file, source_, ": ", what, ": expected an object");
    for (const std::string_view key : keys) {
      if (!value.contains(key)) fail(errc::corrupt_file, source_, ": ", what, ": key ", in_quotes(key), " is missing");
    }
    for (const auto& entry : value.items()) {
      if (std::find(keys.begin(), keys.end(), entry.key()) == keys.end()) {
        fail(errc::corrupt_file, source_, ": ", what, ": unknown key ", in_quotes(entry.key()));
      }
    }
  }

  [[nodiscard]] const nlohmann::json& array(const nlohmann::json& value, const char* key) const {
    if (!value.is_array()) fail(errc::corrupt_file, source_, ": ", key, ": expected an array");
    return value;
  }

  [[nodiscard]] std::string string(const nlohmann::json& value, const char* key) const {
    if (!value.is_string()) fail(errc::corrupt_file, source_, ": ", key, ": expected a string");
    return value.get<std::string>();
  }

  [[nodiscard]] index integer(const nlohmann::json& value, const char* key) const {
    constexpr auto largest = static_cast<std::uint64_t>((std::numeric_limits<index>::max)());
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > largest) {
      fail(errc::corrupt_file, source_, ": ", key, ": expected an integer of 0 ... 2^63 - 1");
    }
    return value.get<index>();
  }

  [[nodiscard]] recipe read_recipe(const nlohmann::json& value) const {
    const std::string name = string(value, "recipe");
    recipe result;
    as_corrupt_file([&] { result = parse_recipe(name); });
    if (recipe_name(result) != name) {  // abbreviations are for command lines; equal plans have equal texts
      fail(errc::corrupt_file, source_, ": recipe ", in_quotes(name), ": expected the full form ", recipe_name(result));
    }
    return result;
  }

  /// Errors about values become errors about the file that holds them.
  template <class Action>
  void as_corrupt_file(Action&& action) const {
    try {
      action();
    } catch (const error& e) {
      fail(errc::corrupt_file, source_, ": ", printable(e.what(), 400));
    }
  }

  std::string source_;
};

}  // namespace detail

LUQ_INLINE plan plan_from_json(std::string_view text, std::string_view source) {
  return detail::plan_json_reader(source).read(parse_strict_json(text, source));
}

}  // namespace luq
