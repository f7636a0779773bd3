// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Small models for tests of policies and files: random shapes, and one of each codec.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "luq/codecs/any_codec.hpp"
#include "luq/core/random.hpp"
#include "luq/policy/model_shape.hpp"

namespace luq_test {

/// Up to 6 layers of 1 to 3 linears, 1 to 200 rows and columns.
[[nodiscard]] inline luq::model_shape random_model(std::uint64_t seed) {
  const luq::counter_rng rng(seed, 1);
  std::uint64_t position = 0;
  const auto draw = [&](std::uint64_t bound) { return static_cast<luq::index>(rng.below(position++, bound)) + 1; };
  luq::model_shape model(static_cast<std::size_t>(draw(6)));
  for (std::size_t layer = 0; layer < model.size(); ++layer) {
    model[layer].resize(static_cast<std::size_t>(draw(3)));
    for (std::size_t i = 0; i < model[layer].size(); ++i) {
      const std::string name = "layers." + std::to_string(layer) + ".linear" + std::to_string(i);
      const luq::index rows = draw(200);
      model[layer][i] = {name, rows, draw(200)};
    }
  }
  return model;
}

/// Every codec of the catalogue, and options and groups that change sizes.
[[nodiscard]] inline std::vector<luq::any_codec> all_codecs() {
  std::vector<luq::any_codec> codecs;
  for (const std::string_view family : luq::codec_families()) codecs.push_back(luq::parse_codec(family));
  for (const char* name : {"int3:g64:sym", "int4:g128:sym:searched", "int8:g0", "sign:g32", "ternary:g0", "bcq2:g7",
                           "billm:g128:magnitude"}) {
    codecs.push_back(luq::parse_codec(name));
  }
  return codecs;
}

/// One of all_codecs().
[[nodiscard]] inline luq::any_codec random_codec(std::uint64_t seed, std::uint64_t position) {
  const std::vector<luq::any_codec> codecs = all_codecs();
  return codecs[luq::counter_rng(seed, 2).below(position, codecs.size())];
}

/// Three layers of different size; linears of two shapes.
[[nodiscard]] inline luq::model_shape three_layers() {
  return {{{"a.up", 64, 128}, {"a.down", 128, 64}}, {{"b.up", 64, 128}}, {{"c.up", 128, 128}, {"c.down", 128, 128}}};
}

}  // namespace luq_test
