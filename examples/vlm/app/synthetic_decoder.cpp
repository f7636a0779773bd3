// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "synthetic_decoder.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <luq/codecs/hadamard_rotation.hpp>
#include <luq/codecs/input_scaling.hpp>
#include <luq/core/error.hpp>
#include <luq/core/random.hpp>
#include <luq/core/random_matrix.hpp>
#include <set>
#include <utility>

#include "../engine/model_config.hpp"

namespace vlm {

namespace {

/// llava-hf/llava-1.5-7b-hf: Vicuna 7B v1.5 with 64 more tokens.
decoder_architecture llava_7b() {
  decoder_architecture result{.name = "llava-1.5-7b", .text = {}, .low_layers = 16};
  result.text.vocabulary = 32064;
  result.text.rms_norm_epsilon = 1e-5f;
  return result;
}

/// Qwen/Qwen2.5-VL-7B-Instruct.
decoder_architecture qwen_7b() {
  decoder_architecture result{.name = "qwen2.5-vl-7b", .text = {}, .low_layers = 12};
  result.text.vocabulary = 152064;
  result.text.hidden_size = 3584;
  result.text.intermediate_size = 18944;
  result.text.layers = 28;
  result.text.heads = 28;
  result.text.key_value_heads = 4;
  result.text.query_key_value_bias = true;
  result.text.rotary.theta = 1e6;
  result.text.rotary.sections = {16, 24, 24};
  return result;
}

/// Random codes [rows x cols] under parameters fitted to normal weights.
template <class Codec>
luq::coded_matrix<Codec> random_codes(const Codec& codec, luq::index rows, luq::index cols) {
  const luq::counter_rng codes(1);
  const luq::matrix W =
      luq::random_normal_matrix(rows, cols, luq::counter_rng(2)) / std::sqrt(static_cast<float>(cols));
  luq::coded_matrix<Codec> result(codec, rows, cols);
  const luq::index group = luq::group_size(codec, cols);
  for (std::size_t g = 0; g < result.groups.size(); ++g) {
    const luq::index first = static_cast<luq::index>(g) * group;
    const luq::index columns = std::min(group, cols - first);
    result.groups[g] = luq::fit_group(codec, W.middleCols(first, columns), {});
    for (luq::index r = 0; r < rows; ++r) {
      luq::code previous = 0;
      for (luq::index c = first; c < first + columns; ++c) {
        const auto symbol = static_cast<luq::code>(
            codes.below(static_cast<std::uint64_t>(r * cols + c), static_cast<std::uint64_t>(luq::levels<Codec>())));
        if constexpr (luq::SequenceCodec<Codec>) {
          previous = Codec::next(previous, symbol);
        } else {
          previous = symbol;
        }
        result.codes(r, c) = previous;
      }
    }
  }
  return result;
}

/// The first rows of a coded matrix.
template <class Codec>
luq::coded_matrix<Codec> top_rows(const luq::coded_matrix<Codec>& source, luq::index rows) {
  luq::coded_matrix<Codec> result = source;
  result.codes.conservativeResize(rows, Eigen::NoChange);
  for (luq::group_parameters& group : result.groups) group.values.conservativeResize(rows, Eigen::NoChange);
  return result;
}

template <class Codec>
luq::packed_matrix<Codec> repeated_tile(const Codec& codec, luq::index rows, luq::index cols,
                                        const luq::shared_transform& transform) {
  const luq::coded_matrix<Codec> tile = random_codes(codec, std::min(rows, luq::tile_rows), cols);
  const luq::packed_matrix<Codec> whole = luq::pack(tile);
  const luq::packed_matrix<Codec> rest = luq::pack(top_rows(tile, rows % luq::tile_rows));
  // A packed matrix is its row tiles one after the other, and then what all rows share.
  const auto rows_of = [](const luq::packed_matrix<Codec>& packed) {
    return packed.bytes().first(static_cast<std::size_t>(packed.layout().flags_offset()));
  };
  luq::aligned_buffer<std::byte> bytes;
  bytes.reserve(static_cast<std::size_t>(luq::packed_bytes(codec, rows, cols)));
  const auto append = [&](std::span<const std::byte> part) { bytes.insert(bytes.end(), part.begin(), part.end()); };
  for (luq::index t = 0; t < rows / luq::tile_rows; ++t) append(rows_of(whole));
  append(rows_of(rest));
  append(whole.bytes().subspan(rows_of(whole).size()));
  if (transform) {
    const std::size_t end = bytes.size();
    bytes.resize(end + static_cast<std::size_t>(transform->bytes()));
    transform->pack(std::span(bytes).subspan(end));
  }
  return {codec, rows, cols, std::move(bytes), transform};
}

/// A transform as a recipe stores it; factors are 1.
luq::shared_transform some_transform(const luq::recipe& how, luq::index cols) {
  const std::string_view name = luq::stored_transform(how);
  if (name == "hadamard") return std::make_shared<const luq::hadamard_rotation>(cols);
  if (name == "scaling") return std::make_shared<const luq::input_scaling>(cols);
  return nullptr;
}

linear::bias_pointer random_bias(luq::index size) {
  const luq::matrix row = luq::random_normal_matrix(1, size, luq::counter_rng(3));
  return std::make_shared<const Eigen::RowVectorXf>(row.row(0));
}

rms_norm unit_norm(const text_config& config) {
  return {Eigen::RowVectorXf::Ones(config.hidden_size), config.rms_norm_epsilon};
}

}  // namespace

decoder_architecture decoder_architecture::first_layers(luq::index layers) const {
  if (layers < 1 || layers > text.layers) {
    luq::fail(luq::errc::invalid_argument, "layers of ", name, ": expected 1 ... ", text.layers, ", got ", layers);
  }
  decoder_architecture result = *this;
  result.text.layers = layers;
  result.low_layers = low_layers * layers / text.layers;
  return result;
}

decoder_architecture architecture_by_name(const std::string& name) {
  for (const decoder_architecture& known : {llava_7b(), qwen_7b()}) {
    if (name == known.name) return known;
  }
  if (!std::filesystem::is_directory(name)) {
    luq::fail(luq::errc::invalid_argument, "architecture \"", name,
              "\": expected llava-1.5-7b, qwen2.5-vl-7b or a model directory");
  }
  const text_config text = read_model_config(name).text;
  return {.name = std::filesystem::path(name).filename().string(), .text = text, .low_layers = text.layers / 2};
}

luq::any_packed_matrix random_packed_matrix(const luq::recipe& how, luq::index rows, luq::index cols) {
  LUQ_ASSERT(rows > 0 && cols > 0);
  const luq::shared_transform transform = some_transform(how, cols);
  return std::visit([&](const auto& c) { return luq::any_packed_matrix(repeated_tile(c, rows, cols, transform)); },
                    how.codec);
}

synthetic_decoders::synthetic_decoders(decoder_architecture architecture, const luq::recipe& head)
    : architecture_(std::move(architecture)),
      layers_(static_cast<std::size_t>(architecture_.text.layers)),
      head_(std::make_shared<const luq::any_packed_matrix>(
          random_packed_matrix(head, architecture_.text.vocabulary, architecture_.text.hidden_size))) {
  for (const decoder_linear which : decoder_linears) {
    if (!has_bias(architecture_.text, which)) continue;
    biases_[static_cast<std::size_t>(which)] = random_bias(size_of(architecture_.text, which).out);
  }
}

decoder synthetic_decoders::with_plan(const luq::plan& choice) {
  const text_config& text = architecture_.text;
  LUQ_ASSERT(static_cast<luq::index>(choice.recipes.size()) == text.layers);
  std::vector<decoder_layer> layers;
  for (std::size_t layer = 0; layer < choice.recipes.size(); ++layer) {
    const packed_layer& weights = layer_weights(layer, choice.recipes[layer]);
    const auto make_linear = [&](decoder_linear which) {
      const auto i = static_cast<std::size_t>(which);
      return linear(weights[i], biases_[i]);
    };
    layers.emplace_back(text, static_cast<luq::index>(layer), unit_norm(text), unit_norm(text),
                        std::array{make_linear(decoder_linear::query), make_linear(decoder_linear::key),
                                   make_linear(decoder_linear::value), make_linear(decoder_linear::attention_output),
                                   make_linear(decoder_linear::gate), make_linear(decoder_linear::up),
                                   make_linear(decoder_linear::down)});
  }
  // One embedding stands for the table, of which a token reads a row.
  return {text,
          std::make_shared<const luq::matrix>(luq::random_normal_matrix(1, text.hidden_size, luq::counter_rng(4))),
          std::move(layers), unit_norm(text), head_};
}

const synthetic_decoders::packed_layer& synthetic_decoders::layer_weights(std::size_t layer, const luq::recipe& how) {
  const std::string name = luq::recipe_name(how);
  const auto [place, is_new] = layers_[layer].try_emplace(name);
  if (!is_new) return place->second;
  for (const auto& other : layers_) {
    const auto found = other.find(name);
    if (&other == &layers_[layer] || found == other.end()) continue;
    for (std::size_t i = 0; i < decoder_linears.size(); ++i) {
      place->second[i] = std::make_shared<const luq::any_packed_matrix>(*found->second[i]);
    }
    return place->second;
  }
  return place->second = make_layer(how);
}

synthetic_decoders::packed_layer synthetic_decoders::make_layer(const luq::recipe& how) const {
  packed_layer result;
  for (const decoder_linear which : decoder_linears) {
    const linear_size size = size_of(architecture_.text, which);
    result[static_cast<std::size_t>(which)] =
        std::make_shared<const luq::any_packed_matrix>(random_packed_matrix(how, size.out, size.in));
  }
  return result;
}

luq::index synthetic_bytes(const decoder_architecture& architecture, std::span<const luq::plan> plans,
                           const luq::recipe& head) {
  luq::index total = luq::packed_bytes(head, architecture.text.vocabulary, architecture.text.hidden_size);
  std::set<std::pair<std::size_t, std::string>> counted;
  for (const luq::plan& choice : plans) {
    for (std::size_t layer = 0; layer < choice.recipes.size(); ++layer) {
      const bool is_new = counted.emplace(layer, luq::recipe_name(choice.recipes[layer])).second;
      if (is_new) total += luq::layer_bytes(choice, layer);
    }
  }
  return total;
}

}  // namespace vlm
