// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The part of a multimodal model that a tensor belongs to, by its name. Names are Hugging Face's of LLaVA and
// Qwen2.5-VL, those on disk and those that transformers 4.52 and later have in memory:
//
//   language_model.model. | model.language_model. | model.    then
//     layers.N.  ..._proj.weight, a matrix                    decoder linear
//     layers.N.  any vector; norm.                            decoder vector
//     embed_tokens.                                           embedding
//   language_model.lm_head. | lm_head.                        head
//   multi_modal_projector. | visual.merger.                   projector     each with or without model. before it
//   vision_tower. | visual.                                   vision tower  likewise
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "luq/core/compiled.hpp"
#include "luq/core/index.hpp"

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

/// The place of a tensor in its model, by the table above; nothing for a name that is not in it.
[[nodiscard]] std::optional<tensor_place> find_tensor_place(std::string_view name, std::size_t dimensions);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/models/impl/tensor_place.hpp"
#endif
