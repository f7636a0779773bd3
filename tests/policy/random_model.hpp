// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Small models for tests of policies and files: random shapes, and one of each codec.
#pragma once

#include <cstdint>
#include <string>
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

/// One of each family, and options that change sizes.
[[nodiscard]] inline std::vector<luq::any_codec> all_codecs() {
  return {luq::int_codec<2>{},
          luq::int_codec<3>{.group = 64, .symmetric = true},
          luq::int_codec<4>{.group = 128, .symmetric = true, .range = luq::int_range::searched},
          luq::int_codec<8>{.group = luq::whole_row},
          luq::sign_codec{.group = 32},
          luq::ternary_codec{.group = luq::whole_row},
          luq::binary_coding_codec{.group = 7},
          luq::billm_codec{.group = 128, .metric = luq::saliency::magnitude}};
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
