// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/gguf/ggml_type.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

using luq::ggml_type;

namespace {

TEST_CASE("numbers, names and sizes are those of ggml") {
  // From ggml.h and ggml-common.h: number, name, weights and bytes of a block, bits a weight.
  struct row {
    std::int32_t number;
    std::string_view name;
    std::uint64_t weights;
    std::uint64_t bytes;
    double bits;
  };
  constexpr row rows[] = {
      {0, "f32", 1, 4, 32},
      {1, "f16", 1, 2, 16},
      {2, "q4_0", 32, 18, 4.5},
      {3, "q4_1", 32, 20, 5.0},
      {6, "q5_0", 32, 22, 5.5},
      {7, "q5_1", 32, 24, 6.0},
      {8, "q8_0", 32, 34, 8.5},
      {9, "q8_1", 32, 36, 9.0},
      {10, "q2_k", 256, 84, 2.625},
      {11, "q3_k", 256, 110, 3.4375},
      {12, "q4_k", 256, 144, 4.5},
      {13, "q5_k", 256, 176, 5.5},
      {14, "q6_k", 256, 210, 6.5625},
      {15, "q8_k", 256, 292, 9.125},
      {16, "iq2_xxs", 256, 66, 2.0625},
      {17, "iq2_xs", 256, 74, 2.3125},
      {18, "iq3_xxs", 256, 98, 3.0625},
      {19, "iq1_s", 256, 50, 1.5625},
      {20, "iq4_nl", 32, 18, 4.5},
      {21, "iq3_s", 256, 110, 3.4375},
      {22, "iq2_s", 256, 82, 2.5625},
      {23, "iq4_xs", 256, 136, 4.25},
      {24, "i8", 1, 1, 8},
      {25, "i16", 1, 2, 16},
      {26, "i32", 1, 4, 32},
      {27, "i64", 1, 8, 64},
      {28, "f64", 1, 8, 64},
      {29, "iq1_m", 256, 56, 1.75},
      {30, "bf16", 1, 2, 16},
      {34, "tq1_0", 256, 54, 1.6875},
      {35, "tq2_0", 256, 66, 2.0625},
      {39, "mxfp4", 32, 17, 4.25},
      {40, "nvfp4", 64, 36, 4.5},
      {41, "q1_0", 128, 18, 1.125},
      {42, "q2_0", 64, 18, 2.25},
  };
  std::set<std::int32_t> numbers;
  for (const row& expected : rows) {
    CAPTURE(expected.number);
    const auto type = static_cast<ggml_type>(expected.number);
    numbers.insert(expected.number);
    const auto facts = luq::facts_of(type);
    REQUIRE(facts.has_value());
    CHECK(facts->name == expected.name);
    CHECK(luq::ggml_type_name(type) == expected.name);
    CHECK(facts->block_weights == expected.weights);
    CHECK(facts->block_bytes == expected.bytes);
    CHECK(8.0 * static_cast<double>(expected.bytes) / static_cast<double>(expected.weights) == expected.bits);
    CHECK((luq::parse_ggml_type(expected.name) == type));
  }
  for (std::int32_t number = -2; number < 300; ++number) {  // those in between are retired, those above other people's
    CAPTURE(number);
    CHECK(luq::facts_of(static_cast<ggml_type>(number)).has_value() == numbers.contains(number));
  }
}

TEST_CASE("names in any case, and no others") {
  CHECK((luq::parse_ggml_type("Q4_K") == ggml_type::q4_k));
  CHECK((luq::parse_ggml_type("iQ1_m") == ggml_type::iq1_m));
  for (const std::string_view name : {"", "q4", "q4_k_m", "q4_k ", "type 12", "12", "f8"}) {
    CAPTURE(name);
    CHECK_FALSE(luq::parse_ggml_type(name).has_value());
  }
  CHECK(luq::ggml_type_name(static_cast<ggml_type>(97)) == "type 97");
  CHECK(luq::ggml_type_name(static_cast<ggml_type>(-1)) == "type -1");
}

}  // namespace
