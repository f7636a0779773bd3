// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/gptq/detail/exact_patterns.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "luq/io/gptq/module_pattern.hpp"

namespace {

using names = std::vector<std::string>;

/// Every name is matched by one of the patterns, and nothing near one of them is.
void check_exact(const names& wanted, const names& patterns) {
  std::vector<luq::module_pattern> compiled;
  for (const std::string& pattern : patterns) compiled.emplace_back(pattern);
  const auto matching = [&](const std::string& name) {
    return std::count_if(compiled.begin(), compiled.end(), [&](const auto& pattern) { return pattern.matches(name); });
  };
  for (const std::string& name : wanted) {
    CAPTURE(name);
    CHECK(matching(name) == 1);
    for (const std::string& near : {name + "x", "x" + name, name.substr(0, name.size() - 1), name + ".x"}) {
      if (std::find(wanted.begin(), wanted.end(), near) == wanted.end()) CHECK(matching(near) == 0);
    }
    for (std::size_t i = 0; i < name.size(); ++i) {
      std::string near = name;
      near[i] = near[i] == '.' ? '_' : '.';
      if (std::find(wanted.begin(), wanted.end(), near) == wanted.end()) CHECK(matching(near) == 0);
    }
  }
}

}  // namespace

TEST_CASE("names of layers are told together") {
  const names wanted{"model.layers.3.mlp.up_proj",   "model.layers.3.mlp.down_proj", "model.layers.7.mlp.up_proj",
                     "model.layers.7.mlp.down_proj", "model.layers.9.mlp.up_proj",   "lm_head"};
  const names patterns = luq::detail::exact_patterns(wanted);
  CHECK(patterns == names{R"(^model\.layers\.(?:3|7)(?:\.mlp\.up_proj|\.mlp\.down_proj)$)",
                          R"(^model\.layers\.9\.mlp\.up_proj$)", "^lm_head$"});
  check_exact(wanted, patterns);
}

TEST_CASE("numbers that are no layers, and names with operators") {
  for (const names& wanted :
       {names{"3"}, names{"3.a"}, names{"a.3"}, names{"a.3.b"}, names{"a..b", "a.1..b"},
        names{"a.1.2.b", "a.1.3.b", "a.2.2.b"}, names{"a.1.x", "b.2.x"}, names{"a.1x.b", "a.2x.b"},
        names{"merger.mlp.0", "merger.mlp.2"}, names{"a+b.1.(c)", "a[b].1.{c}", "a|b", "^a$", "a\\d"}}) {
    check_exact(wanted, luq::detail::exact_patterns(wanted));
  }
  CHECK(luq::detail::exact_patterns({}).empty());
  CHECK(luq::detail::escape_pattern(R"(a.b|c\)") == R"(a\.b\|c\\)");
}

TEST_CASE("long lists take several patterns") {
  names wanted;
  for (int layer = 0; layer < 30; ++layer) {
    for (int expert = 0; expert < 20; ++expert) {
      wanted.push_back("model.layers." + std::to_string(layer) + ".experts." + std::to_string(expert) + ".up_proj");
    }
    wanted.push_back("other.block" + std::to_string(layer));
  }
  const names patterns = luq::detail::exact_patterns(wanted, 60);
  CHECK(patterns.size() > 5);
  for (const std::string& pattern : patterns) CHECK(pattern.size() < 220);
  check_exact(wanted, patterns);
  CHECK(luq::detail::exact_patterns(wanted).size() == 2);
  check_exact(wanted, luq::detail::exact_patterns(wanted));
}
