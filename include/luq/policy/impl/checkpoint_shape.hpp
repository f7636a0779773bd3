// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "luq/core/error.hpp"
#include "luq/models/published_checkpoints.hpp"
#include "luq/policy/checkpoint_shape.hpp"
#include "luq/policy/detail/linears_by_name.hpp"

namespace luq {

LUQ_INLINE checkpoint_tensor make_checkpoint_tensor(std::string name, std::vector<index> shape, block_format stored) {
  std::optional<tensor_place> place = find_tensor_place(name, shape.size());
  if (!place) {
    fail(errc::unsupported, "checkpoint: tensor \"", name, "\" of ", shape.size(),
         " dimensions: expected a name of LLaVA's or Qwen2.5-VL's decoder, head, projector or vision tower");
  }
  return {std::move(name), std::move(shape), *std::move(place), std::move(stored)};
}

LUQ_INLINE index parameters_of(const checkpoint_shape& checkpoint) {
  index total = 0;
  for (const checkpoint_tensor& tensor : checkpoint) total += tensor.size();
  return total;
}

LUQ_INLINE void require_valid(const checkpoint_shape& checkpoint) {
  std::unordered_set<std::string_view> names;
  std::vector<index> layers;  // that have a linear
  index largest_layer = -1;
  index total = 0;
  for (const checkpoint_tensor& tensor : checkpoint) {
    index size = 1;
    for (const index extent : tensor.shape) {
      if (extent < 1) {
        fail(errc::invalid_argument, "checkpoint: tensor ", tensor.name, ": expected extents of at least 1, got ",
             extent);
      }
      if (size > most_weights / extent) size = most_weights + 1;
      if (size <= most_weights) size *= extent;
    }
    if (size > most_weights - total) {
      fail(errc::invalid_argument, "checkpoint: with tensor ", tensor.name, " it exceeds ", most_weights,
           " parameters");
    }
    total += size;
    if (!names.insert(tensor.name).second) {
      fail(errc::invalid_argument, "checkpoint: two tensors are named ", tensor.name);
    }
    if (!tensor.stored.plain() || tensor.stored.bytes < 1 || tensor.stored.bytes > 8) {
      fail(errc::invalid_argument, "checkpoint: tensor ", tensor.name, ": expected numbers of 1 ... 8 bytes, got ",
           tensor.stored.name);
    }
    if (tensor.place.layer) largest_layer = (std::max)(largest_layer, *tensor.place.layer);
    if (tensor.place.part == model_part::decoder_linear) layers.push_back(tensor.place.layer.value_or(-1));
  }
  if (layers.empty()) fail(errc::invalid_argument, "checkpoint: expected at least one decoder linear, got none");
  std::sort(layers.begin(), layers.end());
  layers.erase(std::unique(layers.begin(), layers.end()), layers.end());
  if (largest_layer + 1 != static_cast<index>(layers.size()) || layers.front() == -1) {
    fail(errc::invalid_argument, "checkpoint: expected linears in each of the decoder layers 0 ... ", largest_layer,
         ", got them in ", layers.size());
  }
}

LUQ_INLINE model_shape decoder_linears_of(const checkpoint_shape& checkpoint) {
  require_valid(checkpoint);
  model_shape result;
  for (const checkpoint_tensor& tensor : checkpoint) {
    if (tensor.place.part != model_part::decoder_linear) continue;
    const auto layer = static_cast<std::size_t>(*tensor.place.layer);
    if (result.size() <= layer) result.resize(layer + 1);
    const std::string& name = tensor.place.name;
    result[layer].push_back({name.substr(0, name.rfind('.')), tensor.shape[0], tensor.shape[1]});
  }
  for (layer_shape& layer : result) detail::sort_by_name(layer);
  return result;
}

LUQ_INLINE checkpoint_shape shape_of(const published_checkpoint& checkpoint) {
  checkpoint_shape result;
  for (const tensor_family& family : checkpoint.tensors) {
    std::vector<index> shape;
    for (const index extent : family.extents) {
      if (extent > 0) shape.push_back(extent);
    }
    const std::size_t place = family.name.find('#');
    for (index number = 0; number < family.count; ++number) {
      std::string name(family.name);
      if (place != std::string::npos) name.replace(place, 1, std::to_string(number));
      result.push_back(make_checkpoint_tensor(std::move(name), shape));
    }
  }
  return result;
}

}  // namespace luq
