// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Where the bytes of a model are, computed from shapes alone: each decoder layer's linears as a plan says, all other
// parts as stated. A figure for "the decoder's linears" is what papers give and hides what ships with them; here the
// embeddings, the head, the vision tower and every norm stand beside it.
//
//   decoder linears                  what a plan covers
//   decoder          = linears + norms and biases, the final norm among them
//   language model   = decoder + embedding + head
//   whole model      = language model + projector + vision tower
//
// Bytes are those of the tensors; a file has a header on top (packed_model.hpp in io/ predicts it). Nominal bits are
// averages of nominal_bits() over parameters: what the literature would call the model.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "luq/core/error.hpp"
#include "luq/policy/checkpoint_shape.hpp"
#include "luq/policy/plan.hpp"
#include "luq/policy/weight_storage.hpp"

namespace luq {

/// Tensors of one part that are stored in one form, or a sum of such lines.
struct ledger_line {
  std::string module;  ///< part_name(), or the name of a sum
  std::string stored;  ///< storage_name(); empty for a sum
  index layers = 0;    ///< of the decoder that have linears in this line
  index tensors = 0;
  index parameters = 0;
  index bytes = 0;
  double nominal = 0;  ///< bits of all parameters, as the literature counts

  /// 8 * bytes / parameters; 0 without parameters
  [[nodiscard]] double true_bits() const { return parameters == 0 ? 0 : 8.0 * static_cast<double>(bytes) / weights(); }
  [[nodiscard]] double nominal_bits() const { return parameters == 0 ? 0 : nominal / weights(); }

  ledger_line& operator+=(const ledger_line& other) {
    layers += other.layers;
    tensors += other.tensors;
    parameters += other.parameters;
    bytes += other.bytes;
    nominal += other.nominal;
    return *this;
  }

 private:
  [[nodiscard]] double weights() const { return static_cast<double>(parameters); }
};

/// All bytes of a model.
struct ledger {
  std::vector<ledger_line> lines;  ///< by part in the order of model_parts, then in the order of the checkpoint
  ledger_line decoder_linears{"all decoder linears", "", 0, 0, 0, 0, 0};
  ledger_line decoder{"decoder", "", 0, 0, 0, 0, 0};
  ledger_line language_model{"language model", "", 0, 0, 0, 0, 0};
  ledger_line whole_model{"whole model", "", 0, 0, 0, 0, 0};
};

/// How the parts that no plan covers are stored; a part without a value stays as it is in the checkpoint. A form that
/// is not plain is for the weight matrices of a part: its other tensors (norms, biases, convolutions, tables of
/// positions) stay as they are.
struct part_storage {
  std::optional<weight_storage> decoder_vectors = std::nullopt;  ///< plain, since there are no matrices
  std::optional<weight_storage> embedding = std::nullopt;
  std::optional<weight_storage> head = std::nullopt;
  std::optional<weight_storage> projector = std::nullopt;
  std::optional<weight_storage> vision = std::nullopt;
};

namespace detail {

[[nodiscard]] inline const std::optional<weight_storage>& storage_of(const part_storage& parts, model_part part) {
  switch (part) {
    case model_part::embedding:
      return parts.embedding;
    case model_part::head:
      return parts.head;
    case model_part::projector:
      return parts.projector;
    case model_part::vision:
      return parts.vision;
    default:
      return parts.decoder_vectors;
  }
}

}  // namespace detail

/// The ledger of a checkpoint.
/// @param layers  how the linears of each decoder layer are stored
/// @throws luq::error shape_mismatch unless there is one storage per decoder layer, unsupported if a matrix does not
///   fit its blocks, invalid_argument if decoder vectors are to be packed, or as require_valid()
[[nodiscard]] inline ledger make_ledger(const checkpoint_shape& checkpoint, std::span<const weight_storage> layers,
                                        const part_storage& parts = {}) {
  const std::size_t decoder_layers = decoder_linears_of(checkpoint).size();
  if (layers.size() != decoder_layers) {
    fail(errc::shape_mismatch, "ledger: expected ", decoder_layers, " forms of storage, one per decoder layer, got ",
         layers.size());
  }
  if (parts.decoder_vectors && !is_plain(*parts.decoder_vectors)) {
    fail(errc::invalid_argument, "ledger: ", part_name(model_part::decoder_vector), ": expected plain numbers, got ",
         storage_name(*parts.decoder_vectors));
  }
  std::array<std::vector<ledger_line>, model_parts.size()> lines;
  for (const checkpoint_tensor& tensor : checkpoint) {
    const auto part = static_cast<std::size_t>(tensor.place.part);
    const bool is_linear = tensor.place.part == model_part::decoder_linear;
    const weight_storage stored(tensor.stored);
    const weight_storage* storage = &stored;
    if (is_linear) {
      storage = &layers[static_cast<std::size_t>(*tensor.place.layer)];
    } else if (const auto& wanted = detail::storage_of(parts, tensor.place.part)) {
      if (is_plain(*wanted) || tensor.is_weight_matrix()) storage = &*wanted;
    }
    const index parameters = tensor.size();
    const index cols = is_plain(*storage) ? parameters : tensor.shape[1];
    ledger_line line{std::string(part_name(tensor.place.part)),
                     storage_name(*storage),
                     0,
                     1,
                     parameters,
                     storage_bytes(*storage, parameters / cols, cols, tensor.name),
                     nominal_storage_bits(*storage) * static_cast<double>(parameters)};
    auto place = std::find_if(lines[part].begin(), lines[part].end(),
                              [&](const ledger_line& known) { return known.stored == line.stored; });
    if (place == lines[part].end()) {
      lines[part].push_back(std::move(line));
    } else {
      *place += line;
    }
  }
  for (ledger_line& line : lines[static_cast<std::size_t>(model_part::decoder_linear)]) {
    line.layers = std::count_if(layers.begin(), layers.end(),
                                [&](const weight_storage& layer) { return storage_name(layer) == line.stored; });
  }
  ledger result;
  for (const model_part part : model_parts) {
    for (const ledger_line& line : lines[static_cast<std::size_t>(part)]) {
      if (part <= model_part::decoder_linear) result.decoder_linears += line;
      if (part <= model_part::decoder_vector) result.decoder += line;
      if (part <= model_part::head) result.language_model += line;
      result.whole_model += line;
      result.lines.push_back(line);
    }
  }
  return result;
}

/// The forms that a plan gives the decoder's layers.
/// @throws luq::error shape_mismatch unless plan and checkpoint have the same linears in every layer, in any order, or
///   as require_consistent() and require_valid()
[[nodiscard]] inline std::vector<weight_storage> layer_storage(const plan& choice, const checkpoint_shape& checkpoint) {
  require_consistent(choice);
  const model_shape expected = decoder_linears_of(checkpoint);
  model_shape got = choice.shape;
  for (layer_shape& layer : got) {
    std::sort(layer.begin(), layer.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  }
  if (got.size() != expected.size()) {
    fail(errc::shape_mismatch, "plan: expected ", expected.size(), " layers, as the checkpoint has, got ", got.size());
  }
  for (std::size_t layer = 0; layer < got.size(); ++layer) {
    if (got[layer] != expected[layer]) {
      fail(errc::shape_mismatch, "plan: layer ", layer, " has other linears than the checkpoint, such as ",
           expected[layer].front().name, " of ", expected[layer].front().rows, " x ", expected[layer].front().cols);
    }
  }
  return {choice.codecs.begin(), choice.codecs.end()};
}

/// The first `low_layers` layers in one form and the others in another: for byte counts it is as good as any order
/// where layers have one shape.
/// @throws luq::error invalid_argument unless 0 <= low_layers <= layers
[[nodiscard]] inline std::vector<weight_storage> first_layers_low(index layers, index low_layers,
                                                                  const weight_storage& low,
                                                                  const weight_storage& high) {
  if (low_layers < 0 || low_layers > layers) {
    fail(errc::invalid_argument, "low layers: expected 0 ... ", layers, ", got ", low_layers);
  }
  std::vector<weight_storage> result(static_cast<std::size_t>(layers), high);
  std::fill_n(result.begin(), low_layers, low);
  return result;
}

}  // namespace luq
