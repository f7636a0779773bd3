// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// All tensors of a multimodal checkpoint by name and shape, and the part of the model that each belongs to: what a
// ledger of every byte needs, where a plan needs the decoder's linears alone (model_shape.hpp).
//
// Parts follow from Hugging Face's names of LLaVA and Qwen2.5-VL, those on disk and those that transformers 4.52 and
// later have in memory:
//
//   language_model.model. | model.language_model. | model.    then
//     layers.N.  ..._proj.weight, a matrix                    decoder linear
//     layers.N.  any vector; norm.                            decoder vector
//     embed_tokens.                                           embedding
//   language_model.lm_head. | lm_head.                        head
//   multi_modal_projector. | visual.merger.                   projector     each with or without model. before it
//   vision_tower. | visual.                                   vision tower  likewise
//
// A name without a place is an error rather than a row called "other": what is not understood cannot be promised.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_set>
#include <utility>
#include <vector>

#include "luq/core/error.hpp"
#include "luq/core/index.hpp"
#include "luq/policy/model_shape.hpp"
#include "luq/policy/weight_storage.hpp"

namespace luq {

enum class model_part : std::uint8_t { decoder_linear, decoder_vector, embedding, head, projector, vision };

inline constexpr std::array<model_part, 6> model_parts{model_part::decoder_linear, model_part::decoder_vector,
                                                       model_part::embedding,      model_part::head,
                                                       model_part::projector,      model_part::vision};

/// As in tables.
[[nodiscard]] constexpr std::string_view part_name(model_part part) noexcept {
  constexpr std::array<std::string_view, model_parts.size()> names{
      "decoder linears", "decoder norms and biases", "embedding", "head", "projector", "vision tower"};
  return names[static_cast<std::size_t>(part)];
}

/// Where a tensor belongs.
struct tensor_place {
  model_part part;
  std::optional<index> layer;  ///< of the decoder; none outside its layers
  std::string name;            ///< in the decoder's layers "model.layers.N....", as plans call it; else as given

  friend bool operator==(const tensor_place&, const tensor_place&) = default;
};

namespace detail {

/// Removes `prefix` from the front of a name if it is there.
[[nodiscard]] inline bool take_prefix(std::string_view& name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return false;
  name.remove_prefix(prefix.size());
  return true;
}

/// The place of a tensor that follows "layers.".
[[nodiscard]] inline std::optional<tensor_place> find_layer_place(std::string_view rest, std::size_t dimensions) {
  const std::size_t dot = rest.find('.');
  if (dot == std::string_view::npos || (dot > 1 && rest.front() == '0')) return std::nullopt;
  index layer = 0;
  const auto [stop, failure] = std::from_chars(rest.data(), rest.data() + dot, layer);
  if (failure != std::errc() || stop != rest.data() + dot || layer < 0) return std::nullopt;
  const std::string name = "model.layers." + std::string(rest);
  if (dimensions == 1) return tensor_place{model_part::decoder_vector, layer, name};
  if (dimensions == 2 && rest.ends_with("_proj.weight")) return tensor_place{model_part::decoder_linear, layer, name};
  return std::nullopt;
}

}  // namespace detail

/// The place of a tensor in its model, by the table above; nothing for a name that is not in it.
[[nodiscard]] inline std::optional<tensor_place> find_tensor_place(std::string_view name, std::size_t dimensions) {
  std::string_view rest = name;
  (void)detail::take_prefix(rest, "model.");
  for (const std::string_view projector : {"multi_modal_projector.", "visual.merger."}) {
    if (rest.starts_with(projector)) return tensor_place{model_part::projector, std::nullopt, std::string(name)};
  }
  for (const std::string_view vision : {"vision_tower.", "visual."}) {
    if (rest.starts_with(vision)) return tensor_place{model_part::vision, std::nullopt, std::string(name)};
  }
  rest = name;
  (void)detail::take_prefix(rest, "language_model.");
  if (rest.starts_with("lm_head.")) return tensor_place{model_part::head, std::nullopt, std::string(name)};
  if (!detail::take_prefix(rest, "model.")) return std::nullopt;
  (void)detail::take_prefix(rest, "language_model.");
  if (rest.starts_with("embed_tokens.")) return tensor_place{model_part::embedding, std::nullopt, std::string(name)};
  if (rest.starts_with("norm.")) return tensor_place{model_part::decoder_vector, std::nullopt, std::string(name)};
  if (detail::take_prefix(rest, "layers.")) return detail::find_layer_place(rest, dimensions);
  return std::nullopt;
}

/// One tensor of a checkpoint.
struct checkpoint_tensor {
  std::string name;
  std::vector<index> shape;  ///< each >= 1; empty for a scalar
  tensor_place place;
  block_format stored{"bf16", 1, 2};  ///< its type in the checkpoint, plain

  [[nodiscard]] index size() const {
    index product = 1;
    for (const index extent : shape) product *= extent;
    return product;
  }

  /// Whether a codec may take it: a matrix that multiplies, or a table of embeddings that rows are read of, but not the
  /// table of positions of a vision tower, which is added as a whole.
  [[nodiscard]] bool is_weight_matrix() const {
    return shape.size() == 2 && !name.ends_with("position_embedding.weight");
  }
};

/// The tensors of a checkpoint, in any order.
using checkpoint_shape = std::vector<checkpoint_tensor>;

/// A tensor whose place follows from its name.
/// @throws luq::error unsupported for a name that has none
[[nodiscard]] inline checkpoint_tensor make_checkpoint_tensor(std::string name, std::vector<index> shape,
                                                              block_format stored = {"bf16", 1, 2}) {
  std::optional<tensor_place> place = find_tensor_place(name, shape.size());
  if (!place) {
    fail(errc::unsupported, "checkpoint: tensor \"", name, "\" of ", shape.size(),
         " dimensions: expected a name of LLaVA's or Qwen2.5-VL's decoder, head, projector or vision tower");
  }
  return {std::move(name), std::move(shape), *std::move(place), std::move(stored)};
}

/// Parameters of all tensors.
[[nodiscard]] inline index parameters_of(const checkpoint_shape& checkpoint) {
  index total = 0;
  for (const checkpoint_tensor& tensor : checkpoint) total += tensor.size();
  return total;
}

/// Checks what a ledger relies on: each tensor has a name of its own and at least one element, types are plain, there
/// are no more than most_weights parameters in all, and the decoder's layers are 0, 1, ... with a linear in each.
/// @throws luq::error invalid_argument
inline void require_valid(const checkpoint_shape& checkpoint) {
  std::unordered_set<std::string_view> names;
  std::unordered_set<index> layers;
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
    if (tensor.place.part == model_part::decoder_linear) layers.insert(tensor.place.layer.value_or(-1));
  }
  if (layers.empty()) fail(errc::invalid_argument, "checkpoint: expected at least one decoder linear, got none");
  if (largest_layer + 1 != static_cast<index>(layers.size()) || layers.contains(-1)) {
    fail(errc::invalid_argument, "checkpoint: expected linears in each of the decoder layers 0 ... ", largest_layer,
         ", got them in ", layers.size());
  }
}

/// The decoder's linears as plans name them, "model.layers.3.mlp.up_proj", in ascending order of names in each layer.
/// @throws luq::error as require_valid()
[[nodiscard]] inline model_shape decoder_linears_of(const checkpoint_shape& checkpoint) {
  require_valid(checkpoint);
  model_shape result;
  for (const checkpoint_tensor& tensor : checkpoint) {
    if (tensor.place.part != model_part::decoder_linear) continue;
    const auto layer = static_cast<std::size_t>(*tensor.place.layer);
    if (result.size() <= layer) result.resize(layer + 1);
    const std::string& name = tensor.place.name;
    result[layer].push_back({name.substr(0, name.rfind('.')), tensor.shape[0], tensor.shape[1]});
  }
  for (layer_shape& layer : result) {
    std::sort(layer.begin(), layer.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  }
  return result;
}

}  // namespace luq
