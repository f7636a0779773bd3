// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/llama_cpp/llama_quantize_types.hpp"

#include <doctest/doctest.h>

#include <string>

#include "luq/io/gguf/ggml_type.hpp"

namespace {

/// The type that a plan of one layer under a codec gets.
std::string type_of(const std::string& codec, const luq::llama_cpp_types& given = {}) {
  const luq::plan p{{{{"model.layers.0.mlp.up_proj", 256, 256}}}, {luq::parse_codec(codec)}, "by hand"};
  return luq::llama_cpp_choices(p, luq::llama_quantize_types(p, given)).at(0).type;
}

}  // namespace

TEST_CASE("codecs have the type that holds them, or one of their width") {
  CHECK(type_of("sign:g128") == "q1_0");
  CHECK(type_of("int4:g64:sym") == "q4_0");
  CHECK(type_of("int4:g64") == "q4_k");
  CHECK(type_of("int3:g64") == "q3_k");
  CHECK(type_of("int2:g64") == "q2_k");
  CHECK(type_of("int8:g64") == "q8_0");
  CHECK(type_of("billm:g128") == "iq1_m");
  CHECK(type_of("ternary:g128") == "tq1_0");
  CHECK(type_of("trellis1.58:g0") == "tq1_0");  // as wide as ternary
  CHECK(type_of("bcq2:g64") == "q2_k");
}

TEST_CASE("given types stay") {
  CHECK(type_of("bcq2:g64", {{"bcq2:g64", "iq2_xxs"}}) == "iq2_xxs");
  CHECK(type_of("sign:g128", {{"sign:g128", "iq1_s"}}) == "iq1_s");
}

TEST_CASE("every codec gets a type that ggml has") {
  for (const char* codec : {"sign:g64", "ternary:g64", "lloyd2:g128", "lloyd3:g128", "lloyd4:g128", "trellis1:g0",
                            "trellis2:g0", "trellis3:g0", "trellis4:g0", "int8:g0:sym"}) {
    CAPTURE(codec);
    CHECK(luq::parse_ggml_type(type_of(codec)).has_value());
  }
}
