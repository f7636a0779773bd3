// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "luq/core/error.hpp"
#include "luq/policy/detail/linears_by_name.hpp"
#include "luq/policy/ledger.hpp"

namespace luq {
namespace detail {

[[nodiscard]] LUQ_INLINE const std::optional<weight_storage>& storage_of(const part_storage& parts, model_part part) {
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

LUQ_INLINE ledger make_ledger(const checkpoint_shape& checkpoint, std::span<const weight_storage> layers,
                              const part_storage& parts) {
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

LUQ_INLINE std::vector<weight_storage> layer_storage(const plan& choice, const checkpoint_shape& checkpoint) {
  require_consistent(choice);
  const model_shape expected = decoder_linears_of(checkpoint);
  model_shape got = choice.shape;
  for (layer_shape& layer : got) detail::sort_by_name(layer);
  if (got.size() != expected.size()) {
    fail(errc::shape_mismatch, "plan: expected ", expected.size(), " layers, as the checkpoint has, got ", got.size());
  }
  for (std::size_t layer = 0; layer < got.size(); ++layer) {
    if (got[layer] != expected[layer]) {
      fail(errc::shape_mismatch, "plan: layer ", layer, " has other linears than the checkpoint, such as ",
           expected[layer].front().name, " of ", expected[layer].front().rows, " x ", expected[layer].front().cols);
    }
  }
  std::vector<weight_storage> result;
  for (const recipe& how : choice.recipes) result.emplace_back(how);
  return result;
}

LUQ_INLINE std::vector<weight_storage> first_layers_low(index layers, index low_layers, const weight_storage& low,
                                                        const weight_storage& high) {
  if (low_layers < 0 || low_layers > layers) {
    fail(errc::invalid_argument, "low layers: expected 0 ... ", layers, ", got ", low_layers);
  }
  std::vector<weight_storage> result;
  for (index layer = 0; layer < layers; ++layer) result.push_back(weight_storage(layer < low_layers ? low : high));
  return result;
}

}  // namespace luq
