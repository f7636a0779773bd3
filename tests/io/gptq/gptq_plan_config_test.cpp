// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/gptq/gptq_plan_config.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "io/io_test_support.hpp"
#include "luq/io/gptq/gptq_config_json.hpp"
#include "policy/random_model.hpp"

using luq::errc;
using luq::gptq_settings;
using luq_test::check_fails;

namespace {

const luq::int_codec<4> four{.group = 128, .symmetric = true};
const luq::int_codec<2> two{.group = 64};

/// Decoder layers of seven linears each.
luq::model_shape decoder(int layers) {
  luq::model_shape shape;
  for (int layer = 0; layer < layers; ++layer) {
    const std::string prefix = "model.layers." + std::to_string(layer) + ".";
    luq::layer_shape& linears = shape.emplace_back();
    for (const char* name : {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
                             "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"}) {
      linears.push_back({prefix + name, 128, 256});
    }
  }
  return shape;
}

std::vector<std::string> patterns_of(const luq::gptq_config& config) {
  std::vector<std::string> result;
  for (const luq::gptq_rule& rule : config.dynamic) {
    result.push_back((rule.quantized ? "" : "-:") + rule.pattern.text());
  }
  return result;
}

}  // namespace

TEST_CASE("codecs and their settings") {
  CHECK(luq::gptq_settings_of(luq::int_codec<2>{.group = 64}) == gptq_settings{2, 64, false, false});
  CHECK(luq::gptq_settings_of(luq::int_codec<3>{.group = 32, .symmetric = true}) == gptq_settings{3, 32, false, true});
  CHECK(luq::gptq_settings_of(four) == gptq_settings{4, 128, false, true});
  CHECK(luq::gptq_settings_of(luq::int_codec<8>{.group = luq::whole_row}) ==
        gptq_settings{8, luq::whole_row, false, false});
  for (const char* name : {"sign", "ternary", "bcq2", "lloyd4", "trellis2", "billm"}) {
    CHECK(luq::gptq_settings_of(luq::parse_codec(name)) == std::nullopt);
  }
}

TEST_CASE("a uniform plan needs no rules") {
  const luq::gptq_config config = luq::make_gptq_config(luq::uniform_plan(decoder(2), four), luq::gptq_format::v1);
  CHECK(config == luq::gptq_config{.format = luq::gptq_format::v1, .base = {4, 128, false, true}});
}

TEST_CASE("a mixed plan, to the letter") {
  luq::plan p = luq::uniform_plan(decoder(4), two);
  p.recipes[1] = four;
  p.recipes[3] = four;
  const std::vector<std::string> dense{"visual.blocks.0.attn.qkv", "visual.blocks.1.attn.qkv", "visual.merger.mlp.0"};
  const luq::gptq_config config = luq::make_gptq_config(p, luq::gptq_format::v2, dense);
  CHECK(config.base == gptq_settings{2, 64, false, false});
  CHECK(
      patterns_of(config) ==
      std::vector<std::string>{
          R"(-:^visual\.blocks\.(?:0|1)\.attn\.qkv$)", R"(-:^visual\.merger\.mlp\.0$)",
          R"(^model\.layers\.(?:1|3)(?:\.self_attn\.q_proj|\.self_attn\.k_proj|\.self_attn\.v_proj|\.self_attn\.o_proj)"
          R"(|\.mlp\.gate_proj|\.mlp\.up_proj|\.mlp\.down_proj|\.self_attn\.qkv_proj|\.mlp\.gate_up_proj)$)"});
  CHECK(config.dynamic[2] ==
        luq::gptq_rule{.pattern = config.dynamic[2].pattern, .bits = 4, .group = 128, .symmetric = true});
  CHECK(luq::gptq_config_from_json(luq::gptq_config_to_json(config), "text") == config);
}

TEST_CASE("every linear gets its own settings back, fused or not, and dense ones none") {
  const std::vector<luq::any_codec> codecs{four, two, luq::int_codec<3>{.group = 32}, luq::int_codec<8>{},
                                           luq::int_codec<4>{}};
  for (int layers = 1; layers < 23; ++layers) {
    CAPTURE(layers);
    luq::plan p = luq::uniform_plan(decoder(layers), four);
    for (std::size_t layer = 0; layer < p.recipes.size(); ++layer) p.recipes[layer] = codecs[layer * layer % 5];
    p.shape.push_back({{"lm_head", 256, 128}});
    p.recipes.push_back(luq::int_codec<8>{.symmetric = true});
    const std::vector<std::string> dense{"model.layers.0.mlp.down_proj", "model.layers.0.mlp.up_proj",
                                         "model.layers.0.mlp.gate_proj"};
    const luq::gptq_config config = luq::make_gptq_config(p, luq::gptq_format::v2, dense);
    CHECK(config.lm_head);
    for (std::size_t layer = 0; layer < p.shape.size(); ++layer) {
      const auto expected = luq::gptq_settings_of(p.recipes[layer].codec);
      for (const luq::linear_shape& linear : p.shape[layer]) {
        const bool is_dense = std::find(dense.begin(), dense.end(), linear.name) != dense.end();
        CHECK(settings_of(config, linear.name) == (is_dense ? std::nullopt : expected));
      }
      if (layer == p.shape.size() - 1) continue;
      const std::string prefix = "model.layers." + std::to_string(layer) + ".";
      CHECK(settings_of(config, prefix + "self_attn.qkv_proj") == expected);
      CHECK(settings_of(config, prefix + "mlp.gate_up_proj") == (layer == 0 ? std::nullopt : expected));
    }
  }
}

TEST_CASE("the settings of every linear are beyond Marlin's where any are, then those of the most weights") {
  luq::plan p = luq::uniform_plan(decoder(6), four);
  p.recipes[5] = luq::int_codec<8>{.symmetric = true};
  CHECK(luq::make_gptq_config(p).base == gptq_settings{4, 128, false, true});
  for (const luq::any_codec& beyond : {luq::any_codec(two), luq::any_codec(luq::int_codec<4>{}),
                                       luq::any_codec(luq::int_codec<3>{.symmetric = true})}) {
    p.recipes[4] = beyond;
    CHECK(luq::make_gptq_config(p).base == luq::gptq_settings_of(beyond));
  }
  p = luq::uniform_plan(decoder(5), two);
  p.recipes[0] = p.recipes[2] = p.recipes[4] = luq::int_codec<3>{};
  CHECK(luq::make_gptq_config(p).base == gptq_settings{3, 128, false, false});
}

TEST_CASE("half a fused group has no fused name") {
  luq::plan p = luq::uniform_plan(decoder(1), two);
  p.shape.push_back({{"x.0.q_proj", 32, 32}, {"x.0.k_proj", 32, 32}});
  p.recipes.push_back(four);
  const std::vector<std::string> dense{"x.0.v_proj", "model.layers.0.mlp.up_proj"};
  const luq::gptq_config config = luq::make_gptq_config(p, luq::gptq_format::v2, dense);
  CHECK(patterns_of(config) == std::vector<std::string>{R"(-:^x\.0\.v_proj$)", R"(-:^model\.layers\.0\.mlp\.up_proj$)",
                                                        R"(^x\.0(?:\.q_proj|\.k_proj)$)"});
}

TEST_CASE("plans that are no GPTQ checkpoints") {
  luq::plan p = luq::uniform_plan(luq_test::three_layers(), four);
  p.recipes[1] = luq::sign_codec{};
  check_fails(errc::unsupported,
              "gptq linear 'b.up': expected a codec of int2, int3, int4 and int8 without a transform, got sign:g128",
              [&] { (void)luq::make_gptq_config(p); });
  p.recipes[1] = luq::recipe(luq::transform_method::awq, four, luq::code_search::gptq);
  check_fails(errc::unsupported, "without a transform, got awq/int4:", [&] { (void)luq::make_gptq_config(p); });
  const std::vector<std::string> up{"b.up"};
  CHECK(patterns_of(luq::make_gptq_config(p, luq::gptq_format::v2, up)) == std::vector<std::string>{R"(-:^b\.up$)"});
  p.recipes[1] = four;
  p.shape[2][1].rows = 100;
  check_fails(errc::invalid_argument,
              "gptq linear 'c.down': expected multiples of 32 outputs and inputs, got 100 x 128",
              [&] { (void)luq::make_gptq_config(p); });
  p.recipes.pop_back();
  check_fails(errc::shape_mismatch, "expected 3 recipes", [&] { (void)luq::make_gptq_config(p); });
  const luq::plan one = luq::uniform_plan({{{"w", 32, 32}}}, four);
  const std::vector<std::string> all{"w"};
  check_fails(errc::invalid_argument, "no linear of the plan is quantized",
              [&] { (void)luq::make_gptq_config(one, luq::gptq_format::v2, all); });
}
