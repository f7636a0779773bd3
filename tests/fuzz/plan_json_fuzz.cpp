// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include <luq/io/luq/plan_json.hpp>

#include "hostile_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return luq_fuzz::read_hostile({data, size}, {.multiple = 64}, [](std::span<const std::byte> bytes) {
    const luq::plan read = luq::plan_from_json(luq_fuzz::as_text(bytes), "fuzz");
    luq_fuzz::require(luq::total_bytes(read) >= 0, "a plan of negative bytes");
    const std::string text = luq::plan_to_json(read);
    luq_fuzz::require(luq::plan_from_json(text, "written") == read, "a plan that is read back as another");
  });
}
