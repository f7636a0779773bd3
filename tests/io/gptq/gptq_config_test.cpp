// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/gptq/gptq_config.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "luq/core/version.hpp"

using luq::gptq_settings;
using luq::module_pattern;

namespace {

luq::gptq_config config_with_rules() {
  return {.format = luq::gptq_format::v2,
          .base = {.bits = 4, .group = 128, .act_order = true, .symmetric = false},
          .lm_head = false,
          .dynamic = {{.pattern = module_pattern(R"(visual\..*)"), .quantized = false},
                      {.pattern = module_pattern(R"(.*\.down_proj)"), .bits = 8, .symmetric = true},
                      {.pattern = module_pattern(R"(.*\.[37]\..*)"), .bits = 2, .group = 64, .act_order = false},
                      {.pattern = module_pattern(R"(.*\.3\.mlp\.gate.*)"), .quantized = false}}};
}

}  // namespace

TEST_CASE("the first rule that matches counts, at the start of the name") {
  const luq::gptq_config config = config_with_rules();
  CHECK(settings_of(config, "model.layers.1.mlp.up_proj") == gptq_settings{4, 128, true, false});
  CHECK(settings_of(config, "visual.blocks.0.mlp.down_proj") == std::nullopt);
  CHECK(settings_of(config, "model.visual.0") == gptq_settings{4, 128, true, false});
  CHECK(settings_of(config, "model.layers.3.mlp.down_proj") == gptq_settings{8, 128, true, true});
  CHECK(settings_of(config, "model.layers.3.mlp.up_proj") == gptq_settings{2, 64, false, false});
  CHECK(settings_of(config, "model.layers.3.mlp.gate_proj") == gptq_settings{2, 64, false, false});
}

TEST_CASE("the output projection is quantized on demand alone") {
  luq::gptq_config config = config_with_rules();
  CHECK(settings_of(config, "lm_head") == std::nullopt);
  CHECK(settings_of(config, "language_model.lm_head") == std::nullopt);
  CHECK(settings_of(config, "model.lm_heads") == gptq_settings{4, 128, true, false});
  config.lm_head = true;
  CHECK(settings_of(config, "lm_head") == gptq_settings{4, 128, true, false});
  config.dynamic.push_back({.pattern = module_pattern("lm_head"), .bits = 8});
  CHECK(settings_of(config, "lm_head") == gptq_settings{8, 128, true, false});
}

TEST_CASE("configurations are values") {
  CHECK(config_with_rules() == config_with_rules());
  luq::gptq_config other = config_with_rules();
  other.dynamic[2].act_order = std::nullopt;
  CHECK_FALSE(other == config_with_rules());
  other = config_with_rules();
  other.base.symmetric = true;
  CHECK_FALSE(other == config_with_rules());
  CHECK(luq::gptq_config{}.quantizer == "luq:" + std::to_string(LUQ_VERSION_MAJOR) + "." +
                                            std::to_string(LUQ_VERSION_MINOR) + "." +
                                            std::to_string(LUQ_VERSION_PATCH));
}
