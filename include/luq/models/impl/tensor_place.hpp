// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <system_error>

#include "luq/models/tensor_place.hpp"

namespace luq {
namespace detail {

/// Removes `prefix` from the front of a name if it is there.
[[nodiscard]] LUQ_INLINE bool take_prefix(std::string_view& name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return false;
  name.remove_prefix(prefix.size());
  return true;
}

/// The place of a tensor that follows "layers.".
[[nodiscard]] LUQ_INLINE std::optional<tensor_place> find_layer_place(std::string_view rest, std::size_t dimensions) {
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

LUQ_INLINE std::optional<tensor_place> find_tensor_place(std::string_view name, std::size_t dimensions) {
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

}  // namespace luq
