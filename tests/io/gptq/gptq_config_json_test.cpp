// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/gptq/gptq_config_json.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/io_test_support.hpp"
#include "luq/codecs/weight_codec.hpp"

using luq::errc;
using luq::gptq_config_from_json;
using luq::module_pattern;
using luq_test::check_fails;

namespace {

luq::gptq_config sample_config() {
  return {.format = luq::gptq_format::v2,
          .base = {.bits = 4, .group = 128, .act_order = false, .symmetric = true},
          .lm_head = false,
          .dynamic = {{.pattern = module_pattern(R"(^visual\..*)"), .quantized = false},
                      {.pattern = module_pattern(R"(^model\.layers\.(?:3|7)\..*)"), .bits = 2, .group = 64},
                      {.pattern = module_pattern(R"(.*\.down_proj$)"),
                       .bits = 3,
                       .group = luq::whole_row,
                       .act_order = true,
                       .symmetric = false}},
          .quantizer = "luq:1.2.3"};
}

constexpr std::string_view sample_text = R"({
  "bits": 4,
  "group_size": 128,
  "desc_act": false,
  "sym": true,
  "lm_head": false,
  "quant_method": "gptq",
  "checkpoint_format": "gptq_v2",
  "pack_dtype": "int32",
  "dynamic": {
    "-:^visual\\..*": {},
    "^model\\.layers\\.(?:3|7)\\..*": {
      "bits": 2,
      "group_size": 64
    },
    ".*\\.down_proj$": {
      "bits": 3,
      "group_size": -1,
      "desc_act": true,
      "sym": false
    }
  },
  "meta": {
    "quantizer": [
      "luq:1.2.3"
    ]
  }
})";

/// sample_text with the first `from` replaced by `to`.
std::string changed_config(std::string_view from, std::string_view to) {
  std::string text(sample_text);
  const std::size_t position = text.find(from);
  REQUIRE(position != std::string::npos);
  return text.replace(position, from.size(), to);
}

void check_config_refused(errc code, std::string_view from, std::string_view to, std::string_view fragment) {
  CAPTURE(to);
  const std::string text = changed_config(from, to);
  check_fails(code, fragment, [&] { (void)gptq_config_from_json(text, "q.json"); });
  check_fails(code, "q.json: ", [&] { (void)gptq_config_from_json(text, "q.json"); });
  check_fails(code, fragment,
              [&] { (void)gptq_config_from_json("{\"quantization_config\": " + text + "}", "q.json"); });
}

}  // namespace

TEST_CASE("the text of a configuration, to the letter") {
  CHECK(luq::gptq_config_to_json(sample_config()) == sample_text);
  CHECK(gptq_config_from_json(sample_text, "text") == sample_config());
}

TEST_CASE("no rules, no quantizer, another format") {
  luq::gptq_config config{.format = luq::gptq_format::v1, .base = {.group = luq::whole_row}, .lm_head = true};
  config.quantizer.clear();
  const std::string text = luq::gptq_config_to_json(config);
  CHECK(text.find("dynamic") == std::string::npos);
  CHECK(text.find("meta") == std::string::npos);
  CHECK(text.find(R"("group_size": -1)") != std::string::npos);
  CHECK(text.find(R"("checkpoint_format": "gptq",)") != std::string::npos);
  CHECK(gptq_config_from_json(text, "text") == config);
}

TEST_CASE("config.json holds the same object") {
  nlohmann::ordered_json root{{"architectures", {"X"}}, {"hidden_size", 64}};
  root["quantization_config"] = luq::gptq_config_object(sample_config());
  root["dynamic"] = {{"another", 1}, {"-:^visual\\..*", 2}};  // belongs to something else
  CHECK(gptq_config_from_json(root.dump(), "config.json") == sample_config());
}

TEST_CASE("rules keep the order of the text, whatever their names") {
  const std::string text = R"({"bits":4,"meta":{"dynamic":{"m":{}}},"group_size":32,"x":[{"dynamic":{"y":{}}}],)"
                           R"("dynamic":{"z":{"bits":2},"+:a":{"bits":3},"m":{"bits":8},"-:a":null,"b":{}}})";
  const luq::gptq_config config = gptq_config_from_json(text, "text");
  REQUIRE(config.dynamic.size() == 5);
  const std::vector<std::string> patterns{"z", "a", "m", "a", "b"};
  for (std::size_t i = 0; i < patterns.size(); ++i) CHECK(config.dynamic[i].pattern.text() == patterns[i]);
  CHECK(config.dynamic[1].quantized);
  CHECK(config.dynamic[1].bits == 3u);
  CHECK_FALSE(config.dynamic[3].quantized);
  CHECK(config.dynamic[4].bits == std::nullopt);
  CHECK(settings_of(config, "a")->bits == 3);
}

TEST_CASE("a pattern that begins like a prefix keeps its meaning") {
  const auto rule_of = [](const std::string& key) {
    const std::string text =
        R"({"bits": 4, "group_size": 128, "quant_method": "gptq", "dynamic": {")" + key + R"(": {"bits": 2}}})";
    const luq::gptq_config config = luq::gptq_config_from_json(text, "rule");
    CHECK(luq::gptq_config_from_json(luq::gptq_config_to_json(config), "written") == config);
    return config.dynamic.front();
  };
  CHECK(rule_of("+:-:a").quantized);
  CHECK(rule_of("+:-:a").pattern.text() == "-:a");
  CHECK_FALSE(rule_of("-:-:a").quantized);
}

TEST_CASE("files of other programs") {
  // AutoGPTQ, before the format had a name.
  const luq::gptq_config old = gptq_config_from_json(
      R"({"bits": 3, "group_size": 128, "damp_percent": 0.01, "desc_act": true, "static_groups": false, "sym": false,
          "true_sequential": true, "model_name_or_path": null, "model_file_base_name": null})",
      "text");
  CHECK(old.format == luq::gptq_format::v1);
  CHECK(old.base == luq::gptq_settings{3, 128, true, false});
  CHECK_FALSE(old.lm_head);
  CHECK(old.dynamic.empty());
  CHECK(old.quantizer.empty());

  // GPTQModel, with all it says.
  const luq::gptq_config recent = gptq_config_from_json(
      R"({"bits": 4, "dynamic": {"-:.*\\.moe\\..*": {}, "+:.*\\.(?:1[6-9]|20|21)\\..*": {"bits": 8, "group_size": 64,
          "mse": 2.4}}, "group_size": 32, "desc_act": false, "lm_head": true, "method": "gptq", "quant_method": "gptq",
          "format": "gptq_v2", "checkpoint_format": "gptq_v2", "pack_dtype": "int32", "rotation": null, "sym": true,
          "meta": {"quantizer": ["gptqmodel:7.3.4", "x:1"], "damp_percent": 0.05, "fallback": {"strategy": "rtn"}}})",
      "text");
  CHECK(recent.format == luq::gptq_format::v2);
  CHECK(recent.lm_head);
  CHECK(recent.quantizer == "gptqmodel:7.3.4");
  CHECK(settings_of(recent, "model.layers.17.mlp.up_proj") == luq::gptq_settings{8, 64, false, true});
  CHECK(settings_of(recent, "model.layers.7.moe.gate") == std::nullopt);

  // transformers, with nulls.
  const luq::gptq_config nulls = gptq_config_from_json(
      R"({"quantization_config": {"bits": 2, "group_size": -1, "dynamic": null, "sym": null, "desc_act": null,
          "checkpoint_format": null, "format": "gptq", "lm_head": null, "meta": {"quantizer": null}, "method": null,
          "pack_dtype": null, "is_marlin_format": false}})",
      "text");
  CHECK(nulls.base == luq::gptq_settings{2, luq::whole_row, false, true});
  CHECK(gptq_config_from_json(R"({"bits":2,"group_size":1,"meta":{"quantizer":[]}})", "text").quantizer.empty());
  CHECK(gptq_config_from_json(R"({"bits":2,"group_size":1,"meta":{"quantizer":"a:1"}})", "text").quantizer == "a:1");
}

TEST_CASE("what is wrong is refused, in both forms") {
  check_config_refused(errc::corrupt_file, "\"bits\": 4,", "", "expected the keys bits and group_size");
  check_config_refused(errc::corrupt_file, "\"bits\": 4", "\"bits\": null", "expected the keys bits and group_size");
  check_config_refused(errc::corrupt_file, "\"group_size\": 128,", "", "expected the keys bits and group_size");
  for (const char* bits : {"\"4\"", "4.0", "true", "[4]", "{}"}) {
    check_config_refused(errc::corrupt_file, "\"bits\": 4", std::string("\"bits\": ") + bits,
                         ": bits: expected an integer");
  }
  for (const char* bits : {"0", "-4", "1", "5", "6", "7", "16", "4294967300"}) {
    check_config_refused(errc::unsupported, "\"bits\": 4", std::string("\"bits\": ") + bits,
                         std::string(": bits: expected 2, 3, 4 or 8, got ") + bits);
  }
  check_config_refused(errc::corrupt_file, "128", "0", "group_size: expected -1 or at least 1, got 0");
  check_config_refused(errc::corrupt_file, "128", "-2", "group_size: expected -1 or at least 1, got -2");
  check_config_refused(errc::corrupt_file, "128", "128.0", "group_size: expected an integer");
  check_config_refused(errc::corrupt_file, "128", "18446744073709551615", "group_size: expected an integer");
  check_config_refused(errc::corrupt_file, "\"desc_act\": false", "\"desc_act\": 0",
                       "desc_act: expected true or false");
  check_config_refused(errc::corrupt_file, "\"sym\": true", "\"sym\": \"true\"", "sym: expected true or false");
  check_config_refused(errc::corrupt_file, "\"lm_head\": false", "\"lm_head\": 1", "lm_head: expected true or false");
  check_config_refused(errc::unsupported, "\"quant_method\": \"gptq\"", "\"quant_method\": \"awq\"",
                       "quant_method: expected gptq, got 'awq'");
  check_config_refused(errc::unsupported, "\"sym\": true", "\"sym\": true, \"method\": \"a\\n\"",
                       "method: expected gptq, got 'a\\x0a'");
  check_config_refused(errc::corrupt_file, "\"quant_method\": \"gptq\"", "\"quant_method\": 1",
                       "quant_method: expected a string");
  check_config_refused(errc::unsupported, "gptq_v2", "gptq_p",
                       "checkpoint_format: expected gptq or gptq_v2, got 'gptq_p'");
  check_config_refused(errc::unsupported, "\"sym\": true", "\"sym\": true, \"format\": \"marlin\"",
                       "format: expected gptq or gptq_v2, got 'marlin'");
  check_config_refused(errc::corrupt_file, "\"sym\": true", "\"sym\": true, \"format\": \"gptq\"",
                       "checkpoint_format and format contradict each other");
  check_config_refused(errc::corrupt_file, "\"gptq_v2\"", "2", "checkpoint_format: expected a string");
  check_config_refused(errc::unsupported, "\"sym\": true", "\"sym\": true, \"is_marlin_format\": true",
                       "tensors in the layout of Marlin kernels");
  check_config_refused(errc::unsupported, "int32", "int16", "pack_dtype: expected int32, got 'int16'");
  check_config_refused(errc::corrupt_file, "\"int32\"", "32", "pack_dtype: expected a string");
  check_config_refused(errc::corrupt_file, "\"luq:1.2.3\"", "1", "meta: quantizer: expected a string");
  check_config_refused(errc::corrupt_file, "\"bits\": 4,", "\"bits\": 4, \"bits\": 4,", "duplicate key 'bits'");
}

TEST_CASE("rules that are wrong are refused") {
  const std::string first = "\"bits\": 2";
  check_config_refused(errc::unsupported, first, "\"bits\": 5",
                       "dynamic: '^model\\.layers\\.(?:3|7)\\..*': bits: expected 2, 3, 4 or 8, got 5");
  check_config_refused(errc::corrupt_file, first, "\"bits\": \"2\"", "bits: expected an integer");
  check_config_refused(errc::corrupt_file, "64", "0", "(?:3|7)\\..*': group_size: expected -1 or at least 1, got 0");
  check_config_refused(errc::corrupt_file, first, "\"sym\": 1", "(?:3|7)\\..*': sym: expected true or false");
  check_config_refused(errc::corrupt_file, first, "\"desc_act\": 1", "(?:3|7)\\..*': desc_act: expected true or false");
  check_config_refused(errc::unsupported, first, "\"pack_dtype\": \"int8\"",
                       "(?:3|7)\\..*': pack_dtype: expected int32");
  check_config_refused(errc::corrupt_file, "(?:3|7)", "(?:3|7", "'(' without ')'");
  check_config_refused(errc::unsupported, "(?:3|7)", "(?!3|7)", "a group (?...) other than (?:...) is not supported");
  check_config_refused(errc::unsupported, "-:^visual", "-:\\\\bvisual", "the escape \\b is not supported");
  const auto with_dynamic = [](const std::string& value) {
    return [text = "{\"bits\":4,\"group_size\":32,\"dynamic\":" + value + "}"] {
      (void)gptq_config_from_json(text, "q.json");
    };
  };
  check_fails(errc::corrupt_file, "q.json: dynamic: expected an object", with_dynamic("[]"));
  check_fails(errc::corrupt_file, "q.json: dynamic: expected an object", with_dynamic("\"a\""));
  check_fails(errc::corrupt_file, "q.json: dynamic: 'a': expected an object", with_dynamic("{\"a\": false}"));
  check_fails(errc::corrupt_file, "q.json: dynamic: '+:a': expected an object", with_dynamic("{\"+:a\": null}"));
  check_fails(errc::corrupt_file, "q.json: duplicate key 'a'", with_dynamic("{\"a\": {}, \"a\": {}}"));
}

TEST_CASE("what is no configuration") {
  const auto read = [](const std::string& text) { return [text] { (void)gptq_config_from_json(text, "q.json"); }; };
  check_fails(errc::corrupt_file, "q.json: expected an object", read("[]"));
  check_fails(errc::corrupt_file, "q.json: expected the keys bits and group_size", read("{}"));
  check_fails(errc::corrupt_file, "q.json: quantization_config: expected an object",
              read(R"({"quantization_config": []})"));
  check_fails(errc::corrupt_file, "q.json: meta: expected an object", read(R"({"bits":4,"group_size":1,"meta":[]})"));
  check_fails(errc::corrupt_file, "q.json: invalid JSON", read("{\"bits\":4"));
  check_fails(errc::corrupt_file, "bytes of JSON exceed the limit of 4194304",
              read("{\"a\":\"" + std::string(4 << 20, 'a') + "\"}"));
}

TEST_CASE("hostile files") {
  std::string rules;
  for (int i = 0; i < 20000; ++i)
    rules += (i == 0 ? "\"" : ",\"") + std::string("(a*)*b") + std::to_string(i) + "\":{}";
  const luq::gptq_config many =
      gptq_config_from_json("{\"bits\":4,\"group_size\":32,\"dynamic\":{" + rules + "}}", "q.json");
  CHECK(many.dynamic.size() == 20000);
  CHECK(settings_of(many, std::string(200, 'a')) == many.base);
  const std::string deep = "{\"bits\":4,\"group_size\":32,\"dynamic\":{\"" + std::string(60000, '(') + "\":{}}}";
  check_fails(errc::unsupported, "nesting beyond 32", [&] { (void)gptq_config_from_json(deep, "q.json"); });
  const std::string long_pattern =
      "{\"bits\":4,\"group_size\":32,\"dynamic\":{\"" + std::string(70000, 'a') + "\":{}}}";
  check_fails(errc::unsupported, "70000 bytes exceed the limit of 65536",
              [&] { (void)gptq_config_from_json(long_pattern, "q.json"); });
}

TEST_CASE("what cannot be written") {
  luq::gptq_config config = sample_config();
  config.dynamic.push_back({.pattern = module_pattern(R"(^visual\..*)"), .bits = 8});
  CHECK_NOTHROW((void)luq::gptq_config_to_json(config));
  config.dynamic.push_back({.pattern = module_pattern(R"(^visual\..*)"), .quantized = false});
  check_fails(errc::invalid_argument, "two rules have the pattern '-:^visual\\..*'",
              [&] { (void)luq::gptq_config_to_json(config); });
  config = sample_config();
  config.quantizer = "\xFF";
  check_fails(errc::invalid_argument, "the quantizer '\\xff' is not UTF-8",
              [&] { (void)luq::gptq_config_to_json(config); });
}

TEST_CASE("files") {
  const luq_test::scratch_directory scratch;
  luq_test::write_text(scratch / "quantize_config.json", sample_text);
  CHECK(luq::read_gptq_config(scratch / "quantize_config.json") == sample_config());
  check_fails(errc::io_failure, "none.json: cannot open", [&] { (void)luq::read_gptq_config(scratch / "none.json"); });
  luq_test::write_text(scratch / "empty.json", "");
  check_fails(errc::corrupt_file, "empty.json: invalid JSON",
              [&] { (void)luq::read_gptq_config(scratch / "empty.json"); });
}
