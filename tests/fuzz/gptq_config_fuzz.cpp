// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include <luq/io/gptq/gptq_config_json.hpp>
#include <optional>

#include "hostile_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::optional<luq::gptq_config> config;
  luq_fuzz::read_hostile({data, size}, {.multiple = 64}, [&config](std::span<const std::byte> bytes) {
    config = luq::gptq_config_from_json(luq_fuzz::as_text(bytes), "fuzz");
    (void)luq::settings_of(*config, "model.layers.11.self_attn.q_proj");
    (void)luq::settings_of(*config, "lm_head");
  });
  if (!config) return 0;
  return luq_fuzz::read_hostile({data, size}, {.multiple = 64}, [&config](std::span<const std::byte> /*bytes*/) {
    const std::string text = luq::gptq_config_to_json(*config);  // fails if two rules have the same pattern
    luq_fuzz::require(luq::gptq_config_from_json(text, "written") == *config,
                      "a configuration that is read back as another");
  });
}
