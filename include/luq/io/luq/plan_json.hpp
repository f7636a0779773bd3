// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The JSON form of a plan:
//
//   {
//     "luq_plan": 1,                                   version of this form
//     "reason": "lowest entropy first, 3 of 12 layers low",
//     "bytes": 81920,                                  of all linears
//     "layers": [
//       { "codec": "sign:g128",
//         "linears": [ { "name": "model.layers.0.mlp.up_proj", "rows": 384, "cols": 128, "bytes": 6912 }, ... ] },
//       ... ]
//   }
//
// Byte counts follow from codecs and shapes; they stand there for people and other programs, and a file in which they
// contradict is refused, as is one with unknown keys: it was written by something that means something else.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "luq/io/files/detail/printable.hpp"
#include "luq/io/files/strict_json.hpp"
#include "luq/policy/plan.hpp"

namespace luq {

/// The text of a plan, the same for equal plans; plan_from_json() reads it back to an equal plan.
/// @throws luq::error as require_consistent(); invalid_argument if a name or the reason is not UTF-8
[[nodiscard]] inline std::string plan_to_json(const plan& p) {
  require_consistent(p);
  nlohmann::ordered_json layers = nlohmann::ordered_json::array();
  for (std::size_t layer = 0; layer < p.shape.size(); ++layer) {
    nlohmann::ordered_json linears = nlohmann::ordered_json::array();
    for (const linear_shape& linear : p.shape[layer]) {
      linears.push_back({{"name", linear.name},
                         {"rows", linear.rows},
                         {"cols", linear.cols},
                         {"bytes", packed_bytes(p.codecs[layer], linear.rows, linear.cols)}});
    }
    layers.push_back({{"codec", codec_name(p.codecs[layer])}, {"linears", linears}});
  }
  const nlohmann::ordered_json root{
      {"luq_plan", 1}, {"reason", p.reason}, {"bytes", total_bytes(p)}, {"layers", layers}};
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
    if (version != 1) fail(errc::unsupported, source_, ": luq_plan: expected version 1, got ", version);
    require_keys(root, "plan", {"luq_plan", "reason", "bytes", "layers"});
    plan result;
    result.reason = string(root["reason"], "reason");
    for (const auto& layer : array(root["layers"], "layers")) {
      require_keys(layer, "layer", {"codec", "linears"});
      result.codecs.push_back(codec(layer["codec"]));
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
                      packed_bytes(p.codecs[layer], linear.rows, linear.cols),
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

  [[nodiscard]] any_codec codec(const nlohmann::json& value) const {
    const std::string name = string(value, "codec");
    any_codec result;
    as_corrupt_file([&] { result = parse_codec(name); });
    if (codec_name(result) != name) {  // abbreviations are for command lines; equal plans have equal texts
      fail(errc::corrupt_file, source_, ": codec ", in_quotes(name), ": expected the full form ", codec_name(result));
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

/// Reads what plan_to_json() writes.
/// @param source  names the text in messages
/// @throws luq::error corrupt_file, or unsupported for another version
[[nodiscard]] inline plan plan_from_json(std::string_view text, std::string_view source) {
  return detail::plan_json_reader(source).read(parse_strict_json(text, source));
}

}  // namespace luq
