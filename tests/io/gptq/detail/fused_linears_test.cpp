// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/gptq/detail/fused_linears.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using names = std::vector<std::string>;

TEST_CASE("groups of linears that are loaded as one") {
  const auto groups = luq::detail::find_fused_linears({"l.0.mlp.up_proj", "l.0.attn.v_proj", "l.0.attn.q_proj",
                                                       "l.0.attn.o_proj", "l.0.mlp.gate_proj", "l.0.attn.k_proj",
                                                       "l.1.attn.q_proj", "l.1.attn.v_proj", "q_proj", "k_proj"});
  REQUIRE(groups.size() == 4);
  CHECK(groups[0].name == "l.0.mlp.gate_up_proj");
  CHECK(groups[0].present == names{"l.0.mlp.gate_proj", "l.0.mlp.up_proj"});
  CHECK(groups[0].missing.empty());
  CHECK(groups[1].name == "l.0.attn.qkv_proj");
  CHECK(groups[1].present == names{"l.0.attn.q_proj", "l.0.attn.k_proj", "l.0.attn.v_proj"});
  CHECK(groups[2].name == "l.1.attn.qkv_proj");
  CHECK(groups[2].present == names{"l.1.attn.q_proj", "l.1.attn.v_proj"});
  CHECK(groups[2].missing == names{"l.1.attn.k_proj"});
  CHECK(groups[3].name == "qkv_proj");
  CHECK(groups[3].missing == names{"v_proj"});
}

TEST_CASE("a single linear is no group") {
  CHECK(luq::detail::find_fused_linears({}).empty());
  CHECK(luq::detail::find_fused_linears({"a.up_proj", "b.gate_proj", "a.q_proj", "b.k_proj", "a.down_proj"}).empty());
  CHECK(luq::detail::find_fused_linears({"a.xq_proj", "a.xk_proj", "a.q_projx", "a.up_proj.gate_proj"}).empty());
}
