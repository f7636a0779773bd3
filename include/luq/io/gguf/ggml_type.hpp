// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The element types of GGUF tensors. A type stores each row as blocks, a fixed number of neighbouring weights in a
// fixed number of bytes, without padding. Numbers and sizes are those of ggml (ggml.h, ggml-common.h), where a number
// never changes its meaning:
//
//   bits a weight = 8 * block bytes / block weights        q1_0: 8 * 18 / 128 = 1.125
//
// ggml adds types, and forks of it use other numbers. A number that is not in the table is a valid `ggml_type` of
// unknown size, and its name is its number.
//
// Not the layout of blocks: ggml_blocks.hpp has those that luq converts.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace luq {

/// Element type, by its number in files.
enum class ggml_type : std::int32_t {
  f32 = 0,
  f16 = 1,
  q4_0 = 2,
  q4_1 = 3,
  q5_0 = 6,
  q5_1 = 7,
  q8_0 = 8,
  q8_1 = 9,
  q2_k = 10,
  q3_k = 11,
  q4_k = 12,
  q5_k = 13,
  q6_k = 14,
  q8_k = 15,
  iq2_xxs = 16,
  iq2_xs = 17,
  iq3_xxs = 18,
  iq1_s = 19,
  iq4_nl = 20,
  iq3_s = 21,
  iq2_s = 22,
  iq4_xs = 23,
  i8 = 24,
  i16 = 25,
  i32 = 26,
  i64 = 27,
  f64 = 28,
  iq1_m = 29,
  bf16 = 30,
  tq1_0 = 34,
  tq2_0 = 35,
  mxfp4 = 39,
  nvfp4 = 40,
  q1_0 = 41,
  q2_0 = 42,
};

/// What the table knows of a type.
struct ggml_type_facts {
  ggml_type type;
  std::string_view name;        ///< lower case; tools of ggml take names in any case
  std::uint64_t block_weights;  ///< neighbouring weights of a row in one block
  std::uint64_t block_bytes;
};

/// The table, by ascending numbers.
inline constexpr std::array<ggml_type_facts, 35> ggml_type_table{{
    {ggml_type::f32, "f32", 1, 4},
    {ggml_type::f16, "f16", 1, 2},
    {ggml_type::q4_0, "q4_0", 32, 18},
    {ggml_type::q4_1, "q4_1", 32, 20},
    {ggml_type::q5_0, "q5_0", 32, 22},
    {ggml_type::q5_1, "q5_1", 32, 24},
    {ggml_type::q8_0, "q8_0", 32, 34},
    {ggml_type::q8_1, "q8_1", 32, 36},
    {ggml_type::q2_k, "q2_k", 256, 84},
    {ggml_type::q3_k, "q3_k", 256, 110},
    {ggml_type::q4_k, "q4_k", 256, 144},
    {ggml_type::q5_k, "q5_k", 256, 176},
    {ggml_type::q6_k, "q6_k", 256, 210},
    {ggml_type::q8_k, "q8_k", 256, 292},
    {ggml_type::iq2_xxs, "iq2_xxs", 256, 66},
    {ggml_type::iq2_xs, "iq2_xs", 256, 74},
    {ggml_type::iq3_xxs, "iq3_xxs", 256, 98},
    {ggml_type::iq1_s, "iq1_s", 256, 50},
    {ggml_type::iq4_nl, "iq4_nl", 32, 18},
    {ggml_type::iq3_s, "iq3_s", 256, 110},
    {ggml_type::iq2_s, "iq2_s", 256, 82},
    {ggml_type::iq4_xs, "iq4_xs", 256, 136},
    {ggml_type::i8, "i8", 1, 1},
    {ggml_type::i16, "i16", 1, 2},
    {ggml_type::i32, "i32", 1, 4},
    {ggml_type::i64, "i64", 1, 8},
    {ggml_type::f64, "f64", 1, 8},
    {ggml_type::iq1_m, "iq1_m", 256, 56},
    {ggml_type::bf16, "bf16", 1, 2},
    {ggml_type::tq1_0, "tq1_0", 256, 54},
    {ggml_type::tq2_0, "tq2_0", 256, 66},
    {ggml_type::mxfp4, "mxfp4", 32, 17},
    {ggml_type::nvfp4, "nvfp4", 64, 36},
    {ggml_type::q1_0, "q1_0", 128, 18},
    {ggml_type::q2_0, "q2_0", 64, 18},
}};

/// The facts of a type, or nothing for a number that is not in the table.
[[nodiscard]] constexpr std::optional<ggml_type_facts> facts_of(ggml_type type) noexcept {
  for (const ggml_type_facts& facts : ggml_type_table) {
    if (facts.type == type) return facts;
  }
  return std::nullopt;
}

/// "q4_k", or "type 97" for a number that is not in the table.
[[nodiscard]] std::string ggml_type_name(ggml_type type);

/// The type of a name, in any case.
[[nodiscard]] constexpr std::optional<ggml_type> parse_ggml_type(std::string_view name) noexcept {
  const auto equal_letters = [](char given, char lower) {
    return (given >= 'A' && given <= 'Z' ? given - 'A' + 'a' : given) == lower;
  };
  for (const ggml_type_facts& facts : ggml_type_table) {
    if (std::equal(name.begin(), name.end(), facts.name.begin(), facts.name.end(), equal_letters)) return facts.type;
  }
  return std::nullopt;
}

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/io/gguf/impl/ggml_type.hpp"
#endif
