// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/exports/export_linter.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

#include "io/io_test_support.hpp"
#include "policy/random_model.hpp"

using luq::errc;
using luq::export_finding;
using luq::export_problem;
using luq::export_target;
using luq_test::check_fails;

namespace {

using findings = std::vector<export_finding>;

constexpr std::array targets{export_target::gptq, export_target::vllm_gptq, export_target::vllm_marlin,
                             export_target::llama_cpp, export_target::llama_quantize};

/// One linear of 1024 x 1024 under one codec.
findings lint(const std::string& codec, export_target target, luq::index rows = 1024, luq::index cols = 1024) {
  return luq::lint_export(luq::uniform_plan({{{"w", rows, cols}}}, luq::parse_codec(codec)), target);
}

}  // namespace

TEST_CASE("which codecs a target has a form for, and what comes instead") {
  struct row {
    std::string codec;
    std::array<std::string, 5> expected;  // by target; "" where there is a form, else the end of the remedy
  };
  const std::vector<row> rows = {
      {"int2:g128", {"", "", "int4:g128:sym", "int4:g128:sym", ""}},
      {"int2:g128:sym", {"", "", "int4:g128:sym", "int4:g128:sym", ""}},
      {"int3:g128", {"", "", "int4:g128:sym", "int4:g128:sym", ""}},
      {"int4:g128", {"", "", "int4:g128:sym", "int4:g128:sym", ""}},
      {"int4:g128:sym", {"", "", "", "", ""}},
      {"int4:g64:sym", {"", "", "", "", ""}},
      {"int4:g32:sym", {"", "", "", "", ""}},
      {"int4:g16:sym", {"", "int4:g128", "int4:g128:sym", "int4:g128:sym", ""}},
      {"int4:g8:sym", {"int4:g128", "int4:g128", "int4:g128:sym", "int4:g128:sym", ""}},
      {"int4:g96:sym", {"int4:g128", "int4:g128", "int4:g128:sym", "", ""}},
      {"int4:g256:sym", {"", "", "int4:g128:sym", "", ""}},
      {"int4:g1024:sym", {"", "", "int4:g128:sym", "", ""}},
      {"int4:g2048:sym", {"int4:g128", "int4:g128", "int4:g128:sym", "", ""}},
      {"int4:g0:sym", {"", "", "", "", ""}},
      {"int8:g128", {"", "", "int8:g128:sym", "int8:g128:sym", ""}},
      {"int8:g128:sym", {"", "", "", "", ""}},
      {"sign:g128", {"int2:g128", "int2:g128", "int4:g128:sym", "", ""}},
      {"sign:g256", {"int2:g256", "int2:g256", "int4:g128:sym", "", ""}},
      {"sign:g0", {"int2:g0", "int2:g0", "int4:g0:sym", "", ""}},
      {"sign:g64", {"int2:g64", "int2:g64", "int4:g64:sym", "sign:g128", ""}},
      {"ternary:g256", {"int2:g256", "int2:g256", "int4:g128:sym", "", ""}},
      {"ternary:g128", {"int2:g128", "int2:g128", "int4:g128:sym", "ternary:g256", ""}},
      {"bcq2:g128", {"int2:g128", "int2:g128", "int4:g128:sym", "int4:g128:sym", "q2_k"}},
      {"lloyd3:g64", {"int3:g64", "int3:g64", "int4:g64:sym", "int4:g64:sym", "q3_k"}},
      {"lloyd4:g64", {"int4:g64", "int4:g64", "int4:g64:sym", "int4:g64:sym", "q4_k"}},
      {"trellis1:g0", {"int2:g0", "int2:g0", "int4:g0:sym", "sign:g0", "q1_0"}},
      {"billm:g128", {"int2:g128", "int2:g128", "int4:g128:sym", "ternary:g256", ""}},
  };
  for (const row& row : rows) {
    for (std::size_t t = 0; t < targets.size(); ++t) {
      CAPTURE(row.codec);
      CAPTURE(t);
      // 2048 columns, which all groups divide but 96
      const findings got = lint(row.codec, targets[t], 1024, 2048);
      if (row.expected[t].empty()) {
        CHECK(got.empty());
        continue;
      }
      REQUIRE(got.size() == 1);
      CHECK(got[0].problem == export_problem::codec);
      CHECK(got[0].modules == std::vector<std::string>{"w"});
      CHECK(got[0].demand.starts_with(row.codec + ": "));
      CHECK(got[0].remedy == (t == 4 ? "list them as " : "quantize them as ") + row.expected[t]);
    }
  }
}

TEST_CASE("which sizes a target takes") {
  struct row {
    export_target target;
    std::string codec;
    luq::index inputs, outputs;  // the divisors
  };
  const std::vector<row> rows = {
      {export_target::gptq, "int4:g128", 32, 32},
      {export_target::gptq, "int2:g0", 32, 32},
      {export_target::vllm_gptq, "int4:g128", 128, 32},
      {export_target::vllm_gptq, "int3:g32", 32, 32},
      {export_target::vllm_gptq, "int3:g0", 32, 32},
      {export_target::vllm_marlin, "int4:g32:sym", 128, 64},
      {export_target::vllm_marlin, "int8:g0:sym", 128, 64},
      {export_target::llama_cpp, "sign:g128", 128, 1},
      {export_target::llama_cpp, "ternary:g256", 256, 1},
      {export_target::llama_cpp, "int4:g128:sym", 32, 1},
      {export_target::llama_cpp, "int8:g128:sym", 32, 1},
      {export_target::llama_quantize, "sign:g64", 128, 1},
      {export_target::llama_quantize, "billm:g128", 256, 1},
      {export_target::llama_quantize, "ternary:g128", 256, 1},
      {export_target::llama_quantize, "int2:g128", 256, 1},
      {export_target::llama_quantize, "int3:g128", 256, 1},
      {export_target::llama_quantize, "int4:g128", 256, 1},
      {export_target::llama_quantize, "int8:g128", 32, 1},
  };
  for (const row& row : rows) {
    for (luq::index size = 1; size <= 520; ++size) {
      CAPTURE(row.codec);
      CAPTURE(size);
      CHECK(lint(row.codec, row.target, 1024, size).empty() == (size % row.inputs == 0));
      CHECK(lint(row.codec, row.target, size, 1024).empty() == (size % row.outputs == 0));
    }
  }
}

TEST_CASE("what is said of sizes") {
  CHECK(lint("int4:g128:sym", export_target::gptq, 1280, 3420) ==
        findings{{export_problem::shape,
                  {"w"},
                  "int4:g128:sym as GPTQ words needs multiples of 32 inputs and 32 outputs, got 1280 x 3420",
                  "keep them dense (F16)"}});
  CHECK(lint("int4:g128", export_target::vllm_gptq, 64, 64)[0].demand ==
        "int4:g128 as GPTQ words needs multiples of 128 inputs and 32 outputs, got 64 x 64");
  CHECK(lint("int4:g32:sym", export_target::vllm_marlin, 96, 96)[0].demand ==
        "int4:g32:sym as Marlin kernels needs multiples of 128 inputs and 64 outputs, got 96 x 96");
  CHECK(lint("sign:g128", export_target::llama_cpp, 1280, 3420)[0].demand ==
        "sign:g128 as Q1_0 needs multiples of 128 inputs, got 1280 x 3420");
  CHECK(lint("sign:g128", export_target::llama_quantize, 8, 64)[0].remedy ==
        "list them as f16: llama-quantize would stop");
  CHECK(lint("int4:g128", export_target::llama_quantize, 8, 64)[0].remedy ==
        "list them as q5_0, as llama-quantize would");
  CHECK(lint("int2:g128", export_target::llama_quantize, 8, 64)[0].remedy ==
        "list them as q4_0, as llama-quantize would");
  CHECK(lint("billm:g128", export_target::llama_quantize, 8, 64)[0].remedy ==
        "list them as iq4_nl, as llama-quantize would");
}

TEST_CASE("a codec that must change is looked at with the sizes of its successor") {
  CHECK(lint("bcq2:g128", export_target::gptq, 32, 100) ==
        findings{{export_problem::codec,
                  {"w"},
                  "bcq2:g128: GPTQModel takes int2, int3, int4 and int8 with groups of 16, 32, ... 1024 columns or the "
                  "whole row",
                  "quantize them as int2:g128"},
                 {export_problem::shape,
                  {"w"},
                  "int2:g128 as GPTQ words needs multiples of 32 inputs and 32 outputs, got 32 x 100",
                  "keep them dense (F16)"}});
}

TEST_CASE("linears of which the same is said are one finding") {
  const luq::model_shape shape{{{"a.up", 64, 128}, {"a.odd", 64, 100}},
                               {{"b.up", 64, 128}, {"b.odd", 64, 100}, {"b.other", 64, 60}},
                               {{"c.up", 64, 128}}};
  const luq::plan p{shape, {luq::sign_codec{}, luq::sign_codec{}, luq::int_codec<4>{.symmetric = true}}, ""};
  const findings got = luq::lint_export(p, export_target::llama_cpp);
  REQUIRE(got.size() == 2);
  CHECK(got[0].modules == std::vector<std::string>{"a.odd", "b.odd"});
  CHECK(got[1].modules == std::vector<std::string>{"b.other"});
  CHECK(luq::lint_export(p, export_target::gptq)[0].modules ==
        std::vector<std::string>{"a.up", "a.odd", "b.up", "b.odd", "b.other"});
}

TEST_CASE("fused linears must be coded alike for vLLM") {
  const luq::int_codec<4> four{.group = 128, .symmetric = true};
  const auto shape = [](luq::index k_rows) {
    return luq::model_shape{{{"l.0.q_proj", 128, 128}, {"l.0.k_proj", k_rows, 128}, {"l.0.v_proj", 128, 128}},
                            {{"l.0.gate_proj", 128, 128}},
                            {{"l.0.up_proj", 128, 128}}};
  };
  for (const export_target target : targets) {
    CHECK(luq::lint_export(luq::uniform_plan(shape(128), four), target).empty() ==
          (target != export_target::llama_quantize));
  }

  // Two layers of a plan, one module: different codecs.
  luq::plan p = luq::uniform_plan(shape(128), luq::int_codec<2>{});
  p.recipes[2] = four;
  CHECK(luq::lint_export(p, export_target::gptq).empty());
  CHECK(luq::lint_export(p, export_target::vllm_gptq) ==
        findings{{export_problem::fused,
                  {"l.0.gate_proj", "l.0.up_proj"},
                  "vLLM loads them as one gate_up_proj, which must be coded alike, got gate_proj int2:g128, up_proj "
                  "int4:g128:sym",
                  "quantize all of them as int4:g128:sym"}});

  // One that has to stay dense keeps the others dense.
  p = luq::uniform_plan(shape(100), four);
  const findings dense = luq::lint_export(p, export_target::vllm_marlin);
  REQUIRE(dense.size() == 2);
  CHECK(dense[0].problem == export_problem::shape);
  CHECK(dense[0].modules == std::vector<std::string>{"l.0.k_proj"});
  CHECK(dense[1] == export_finding{export_problem::fused,
                                   {"l.0.q_proj", "l.0.k_proj", "l.0.v_proj"},
                                   "vLLM loads them as one qkv_proj, which must be coded alike, got q_proj "
                                   "int4:g128:sym, k_proj dense, v_proj int4:g128:sym",
                                   "keep them dense (F16)"});
  CHECK(luq::lint_export(p, export_target::gptq).size() == 1);
  CHECK(luq::lint_export(p, export_target::llama_cpp).empty());

  // So does one that the plan does not have.
  p = luq::uniform_plan({{{"q_proj", 128, 128}, {"v_proj", 128, 128}, {"up_proj", 128, 128}}}, four);
  CHECK(luq::lint_export(p, export_target::vllm_gptq) ==
        findings{{export_problem::fused,
                  {"q_proj", "v_proj"},
                  "vLLM loads them as one qkv_proj, which must be coded alike, got q_proj int4:g128:sym, v_proj "
                  "int4:g128:sym, k_proj not in the plan",
                  "keep them dense (F16)"}});

  // All dense is alike.
  p = luq::uniform_plan({{{"gate_proj", 100, 128}, {"up_proj", 100, 128}}}, four);
  const findings both = luq::lint_export(p, export_target::vllm_gptq);
  REQUIRE(both.size() == 1);
  CHECK(both[0].problem == export_problem::shape);

  // What becomes the same codec is alike.
  p = luq::uniform_plan({{{"gate_proj", 128, 128}}, {{"up_proj", 128, 128}}}, four);
  p.recipes[0] = luq::int_codec<2>{};
  const findings replaced = luq::lint_export(p, export_target::vllm_marlin);
  REQUIRE(replaced.size() == 1);
  CHECK(replaced[0].problem == export_problem::codec);
}

TEST_CASE("transforms are what no target knows, but those that are quantized anew") {
  const luq::int_codec<4> four{.group = 128, .symmetric = true};
  const luq::plan p = luq::uniform_plan(luq_test::three_layers(),
                                        luq::recipe(luq::transform_method::hadamard, four, luq::code_search::rtn));
  for (const export_target target : targets) {
    const findings found = luq::lint_export(p, target);
    if (target == export_target::llama_quantize) {
      for (const export_finding& finding : found) CHECK(finding.demand.find("transformed") == std::string::npos);
    } else {
      REQUIRE(!found.empty());
      CHECK(found[0].problem == export_problem::codec);
      CHECK(found[0].demand == "hadamard/int4:g128:sym/rtn: inputs are transformed, as no target knows");
      CHECK(found[0].remedy == "quantize them without a transform");
    }
  }
}

TEST_CASE("any plan can be looked at, and is left as it is") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    luq::plan p{luq_test::random_model(seed), {}, ""};
    for (std::size_t layer = 0; layer < p.shape.size(); ++layer) {
      p.recipes.push_back(luq_test::random_codec(seed, layer));
    }
    for (const export_target target : targets) {
      for (const export_finding& finding : luq::lint_export(p, target)) {
        CHECK_FALSE(finding.modules.empty());
        CHECK_FALSE(finding.demand.empty());
        CHECK_FALSE(finding.remedy.empty());
      }
    }
  }
  luq::plan p = luq::uniform_plan(luq_test::three_layers(), luq::sign_codec{});
  p.recipes.pop_back();
  check_fails(errc::shape_mismatch, "expected 3 recipes", [&] { (void)luq::lint_export(p, export_target::gptq); });
}
