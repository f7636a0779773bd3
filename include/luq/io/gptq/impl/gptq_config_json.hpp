// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/gptq/gptq_config_json.hpp.
//
// IWYU pragma: private, include "luq/io/gptq/gptq_config_json.hpp"
#pragma once

#include "luq/io/gptq/gptq_config_json.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "luq/codecs/weight_codec.hpp"
#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/core/index.hpp"
#include "luq/io/files/detail/input_file.hpp"
#include "luq/io/files/detail/json_events.hpp"
#include "luq/io/files/detail/printable.hpp"
#include "luq/io/files/strict_json.hpp"
#include "luq/io/gptq/gptq_format.hpp"
#include "luq/io/gptq/module_pattern.hpp"

namespace luq {

LUQ_INLINE nlohmann::ordered_json gptq_config_object(const gptq_config& config) {
  const auto group_size = [](index group) { return group == whole_row ? index{-1} : group; };
  nlohmann::ordered_json dynamic = nlohmann::ordered_json::object();
  for (const gptq_rule& rule : config.dynamic) {
    const std::string& text = rule.pattern.text();
    // "+:" says what no prefix says, and is needed where the pattern itself begins like one.
    const char* const quantized_prefix = text.starts_with("-:") || text.starts_with("+:") ? "+:" : "";
    const std::string key = (rule.quantized ? quantized_prefix : "-:") + text;
    if (dynamic.contains(key)) {
      fail(errc::invalid_argument, "gptq configuration: two rules have the pattern ", detail::in_quotes(key));
    }
    nlohmann::ordered_json& value = dynamic[key] = nlohmann::ordered_json::object();
    if (!rule.quantized) continue;
    if (rule.bits) value["bits"] = *rule.bits;
    if (rule.group) value["group_size"] = group_size(*rule.group);
    if (rule.act_order) value["desc_act"] = *rule.act_order;
    if (rule.symmetric) value["sym"] = *rule.symmetric;
  }
  nlohmann::ordered_json root{{"bits", config.base.bits},
                              {"group_size", group_size(config.base.group)},
                              {"desc_act", config.base.act_order},
                              {"sym", config.base.symmetric},
                              {"lm_head", config.lm_head},
                              {"quant_method", "gptq"},
                              {"checkpoint_format", gptq_format_name(config.format)},
                              {"pack_dtype", "int32"}};
  if (!dynamic.empty()) root["dynamic"] = std::move(dynamic);
  if (!config.quantizer.empty()) root["meta"]["quantizer"] = {config.quantizer};
  return root;
}

LUQ_INLINE std::string gptq_config_to_json(const gptq_config& config) {
  const nlohmann::ordered_json root = gptq_config_object(config);
  try {
    return root.dump(2);
  } catch (const nlohmann::json::exception&) {
    fail(errc::invalid_argument, "gptq configuration: the quantizer ", detail::in_quotes(config.quantizer),
         " is not UTF-8");
  }
}

namespace detail {

/// Where the object is in config.json; in quantize_config.json it is the root.
inline constexpr const char* gptq_config_key = "quantization_config";

/// The keys of "dynamic" in the order of the text, which a tree of JSON does not keep.
class dynamic_key_reader final : public json_events {
 public:
  /// @param nested  whether the configuration is a member of the root
  dynamic_key_reader(std::string_view source, bool nested) : json_events(source) {
    if (nested) sought_.emplace_back(gptq_config_key);
    sought_.emplace_back("dynamic");
  }

  [[nodiscard]] const std::vector<std::string>& keys() const { return keys_; }

  bool null() override { return true; }
  bool boolean(bool /*value*/) override { return true; }
  bool number_integer(number_integer_t /*value*/) override { return true; }
  bool number_unsigned(number_unsigned_t /*value*/) override { return true; }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return true; }
  bool string(string_t& /*value*/) override { return true; }
  bool start_object(std::size_t /*elements*/) override { return open(); }
  bool start_array(std::size_t /*elements*/) override { return open(); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    const std::size_t depth = path_.size();
    if (depth == sought_.size() + 1 && std::equal(sought_.begin(), sought_.end(), path_.begin())) keys_.push_back(name);
    path_.back() = std::move(name);
    return true;
  }

 protected:
  [[nodiscard]] std::string expectation() const override { return "expected a JSON value"; }

 private:
  bool open() {
    path_.emplace_back();
    return true;
  }
  bool close() {
    path_.pop_back();
    return true;
  }

  std::vector<std::string> sought_;
  std::vector<std::string> path_;  // the present key of each enclosing object, outermost first; "" of an array
  std::vector<std::string> keys_;
};

/// Reads one configuration, with the source's name for messages.
class gptq_config_reader {
 public:
  gptq_config_reader(std::string_view text, std::string_view source) : source_(source) {
    root_ = parse_strict_json(text, source, limits);
    if (!root_.is_object()) fail(errc::corrupt_file, source_, ": expected an object");
    dynamic_key_reader order(source, root_.contains(gptq_config_key));
    parse_json_events(text, source, order);
    keys_ = order.keys();
  }

  [[nodiscard]] gptq_config read() const {
    const nlohmann::json& object = root_.contains(gptq_config_key) ? root_[gptq_config_key] : root_;
    if (!object.is_object()) fail(errc::corrupt_file, source_, ": ", gptq_config_key, ": expected an object");
    require_method(object);
    gptq_config config{.format = format(object), .base = {}, .lm_head = false, .dynamic = {}, .quantizer = {}};
    const gptq_rule base = read_rule("", object, "");
    if (!base.bits || !base.group) fail(errc::corrupt_file, source_, ": expected the keys bits and group_size");
    config.base = {*base.bits, *base.group, base.act_order.value_or(false), base.symmetric.value_or(true)};
    if (const auto* value = find(object, "lm_head")) config.lm_head = boolean(*value, "lm_head");
    if (const auto* value = find(object, "dynamic")) config.dynamic = read_dynamic(*value);
    if (const auto* value = find(object, "meta")) config.quantizer = read_quantizer(*value);
    return config;
  }

 private:
  /// A configuration has some ten kilobytes at most, its patterns take some forty times their length when compiled.
  static constexpr json_limits limits{.bytes = index{4} << 20};

  /// The value of a key; null if it is absent or null.
  [[nodiscard]] static const nlohmann::json* find(const nlohmann::json& object, const char* key) {
    const auto entry = object.find(key);
    return entry == object.end() || entry->is_null() ? nullptr : &*entry;
  }

  void require_method(const nlohmann::json& object) const {
    for (const char* key : {"quant_method", "method"}) {
      if (const auto* value = find(object, key); value != nullptr && text(*value, key) != "gptq") {
        fail(errc::unsupported, source_, ": ", key, ": expected gptq, got ", in_quotes(text(*value, key)));
      }
    }
    if (const auto* value = find(object, "is_marlin_format"); value != nullptr && boolean(*value, "is_marlin_format")) {
      fail(errc::unsupported, source_, ": tensors in the layout of Marlin kernels");
    }
  }

  [[nodiscard]] gptq_format format(const nlohmann::json& object) const {
    std::optional<gptq_format> result;
    for (const char* key : {"checkpoint_format", "format"}) {
      const auto* value = find(object, key);
      if (value == nullptr) continue;
      const std::string name = text(*value, key);
      if (name != "gptq" && name != "gptq_v2") {
        fail(errc::unsupported, source_, ": ", key, ": expected gptq or gptq_v2, got ", in_quotes(name));
      }
      const gptq_format stated = name == "gptq" ? gptq_format::v1 : gptq_format::v2;
      if (result && *result != stated) {
        fail(errc::corrupt_file, source_, ": checkpoint_format and format contradict each other");
      }
      result = stated;
    }
    return result.value_or(gptq_format::v1);  // AutoGPTQ's files, older than the key
  }

  [[nodiscard]] std::vector<gptq_rule> read_dynamic(const nlohmann::json& dynamic) const {
    if (!dynamic.is_object()) fail(errc::corrupt_file, source_, ": dynamic: expected an object");
    std::vector<gptq_rule> rules;
    for (const std::string& key : keys_) {
      const nlohmann::json& value = dynamic[key];
      if (!value.is_object() && !key.starts_with("-:")) {
        fail(errc::corrupt_file, source_, ": dynamic: ", in_quotes(key), ": expected an object");
      }
      rules.push_back(read_rule(key, value, "dynamic: " + in_quotes(key) + ": "));
    }
    return rules;
  }

  /// @param where  for messages
  [[nodiscard]] gptq_rule read_rule(std::string_view key, const nlohmann::json& value, const std::string& where) const {
    const bool has_prefix = key.starts_with("-:") || key.starts_with("+:");
    gptq_rule rule{.pattern = pattern(key.substr(has_prefix ? 2 : 0), where), .quantized = !key.starts_with("-:")};
    if (!rule.quantized) return rule;
    if (const auto* bits = find(value, "bits")) rule.bits = read_bits(*bits, where);
    if (const auto* group = find(value, "group_size")) rule.group = read_group(*group, where);
    if (const auto* flag = find(value, "desc_act")) rule.act_order = boolean(*flag, where + "desc_act");
    if (const auto* flag = find(value, "sym")) rule.symmetric = boolean(*flag, where + "sym");
    if (const auto* type = find(value, "pack_dtype"); type != nullptr && text(*type, where + "pack_dtype") != "int32") {
      fail(errc::unsupported, source_, ": ", where, "pack_dtype: expected int32, got ",
           in_quotes(text(*type, where + "pack_dtype")));
    }
    return rule;
  }

  [[nodiscard]] module_pattern pattern(std::string_view text, const std::string& where) const {
    try {
      return module_pattern(std::string(text));
    } catch (const error& e) {
      const errc code = e.code() == errc::unsupported ? errc::unsupported : errc::corrupt_file;
      fail(code, source_, ": ", where, printable(e.what(), 400));
    }
  }

  [[nodiscard]] unsigned read_bits(const nlohmann::json& value, const std::string& where) const {
    const index bits = integer(value, where + "bits");
    if (bits != 2 && bits != 3 && bits != 4 && bits != 8) {
      fail(errc::unsupported, source_, ": ", where, "bits: expected 2, 3, 4 or 8, got ", bits);
    }
    return static_cast<unsigned>(bits);
  }

  [[nodiscard]] index read_group(const nlohmann::json& value, const std::string& where) const {
    const index size = integer(value, where + "group_size");
    if (size != -1 && size < 1) {
      fail(errc::corrupt_file, source_, ": ", where, "group_size: expected -1 or at least 1, got ", size);
    }
    return size == -1 ? whole_row : size;
  }

  [[nodiscard]] std::string read_quantizer(const nlohmann::json& meta) const {
    if (!meta.is_object()) fail(errc::corrupt_file, source_, ": meta: expected an object");
    const auto* value = find(meta, "quantizer");
    if (value != nullptr && value->is_array()) value = value->empty() ? nullptr : &value->front();
    return value == nullptr ? "" : text(*value, "meta: quantizer");
  }

  [[nodiscard]] index integer(const nlohmann::json& value, const std::string& what) const {
    constexpr auto largest = static_cast<std::uint64_t>((std::numeric_limits<index>::max)());
    if (!value.is_number_integer() || (value.is_number_unsigned() && value.get<std::uint64_t>() > largest)) {
      fail(errc::corrupt_file, source_, ": ", what, ": expected an integer");
    }
    return value.get<index>();
  }

  [[nodiscard]] bool boolean(const nlohmann::json& value, const std::string& what) const {
    if (!value.is_boolean()) fail(errc::corrupt_file, source_, ": ", what, ": expected true or false");
    return value.get<bool>();
  }

  [[nodiscard]] std::string text(const nlohmann::json& value, const std::string& what) const {
    if (!value.is_string()) fail(errc::corrupt_file, source_, ": ", what, ": expected a string");
    return value.get<std::string>();
  }

  std::string source_;
  nlohmann::json root_;
  std::vector<std::string> keys_;
};

}  // namespace detail

LUQ_INLINE gptq_config gptq_config_from_json(std::string_view text, std::string_view source) {
  return detail::gptq_config_reader(text, source).read();
}

LUQ_INLINE gptq_config read_gptq_config(const std::filesystem::path& path) {
  const detail::input_file file(path);
  const std::span<const std::byte> bytes = file.bytes();
  return gptq_config_from_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string());
}

}  // namespace luq
