// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Decoders of the shapes of published models with random weights, for measurements of time and memory: those depend on
// shapes and codecs and not on what the weights are, so that no checkpoint is needed.
//
// Drawing and packing billions of weights would take longer than any measurement. 64 rows of random codes, one row tile
// of the packed layout, are made for each size and codec and repeated down the matrix, and every layer has a copy in
// memory of its own. Nothing is learned of accuracy this way.
#pragma once

#include <array>
#include <luq/codecs/any_packed_matrix.hpp>
#include <luq/policy/plan.hpp>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "../engine/decoder.hpp"

namespace vlm {

/// What there is to know of a decoder but for its weights.
struct decoder_architecture {
  std::string name;
  text_config text;
  luq::index low_layers = 0;  ///< layers that the published plan of LUQ makes ultra-low

  /// The first layers alone, with their share of low ones, rounded down.
  /// @throws luq::error invalid_argument unless there are as many
  [[nodiscard]] decoder_architecture first_layers(luq::index layers) const;
};

/// @param name  llava-1.5-7b, qwen2.5-vl-7b, or a model directory, of which config.json alone is read and half
///   the layers are to be low
/// @throws luq::error invalid_argument for a name that is neither, or as read_model_config()
[[nodiscard]] decoder_architecture architecture_by_name(const std::string& name);

/// Random weights [rows x cols] of a standard deviation of about 1 / sqrt(cols): random codes under parameters that the
/// codec fits to normal weights. Row r is row r % 64.
[[nodiscard]] luq::any_packed_matrix random_packed_matrix(const luq::recipe& how, luq::index rows, luq::index cols);

/// Random decoders of one architecture. Layers that two of them have under the same codec, and the head, are shared.
class synthetic_decoders {
 public:
  /// @param head  codec of the head, which no plan covers
  synthetic_decoders(decoder_architecture architecture, const luq::recipe& head);

  /// @param choice  of the architecture's shape
  [[nodiscard]] decoder with_plan(const luq::plan& choice);

 private:
  using packed_layer = std::array<std::shared_ptr<const luq::any_packed_matrix>, decoder_linears.size()>;

  [[nodiscard]] const packed_layer& layer_weights(std::size_t layer, const luq::recipe& how);
  [[nodiscard]] packed_layer make_layer(const luq::recipe& how) const;

  decoder_architecture architecture_;
  std::vector<std::map<std::string, packed_layer>> layers_;  // by layer and name of the codec
  std::array<linear::bias_pointer, decoder_linears.size()> biases_;
  linear head_;
};

/// Bytes of packed weights that the decoders of these plans take together.
[[nodiscard]] luq::index synthetic_bytes(const decoder_architecture& architecture, std::span<const luq::plan> plans,
                                         const luq::recipe& head);

}  // namespace vlm
