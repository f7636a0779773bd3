// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Hugging Face has written checkpoints under more than one set of tensor names. What follows the prefixes is the same
// in all of them ("layers.0.self_attn.q_proj.weight", "encoder.layers.0.mlp.fc1.bias", "blocks.0.attn.qkv.weight"):
//
//   LLaVA         decoder       language_model.model.      or  model.language_model.
//                 head          language_model.lm_head.    or  lm_head.
//                 vision tower  vision_tower.              or  model.vision_tower.   each with or without vision_model.
//                 projector     multi_modal_projector.     or  model.multi_modal_projector.
//   Qwen2.5-VL    decoder       model.                     or  model.language_model.
//                 head          lm_head.
//                 vision tower  visual.                    or  model.visual.
//                 merger        visual.merger.             or  model.visual.merger.
//
// The left ones, with vision_model., are those of llava-1.5-7b-hf and Qwen2.5-VL-7B-Instruct. transformers 4.52 and
// later have the right ones in memory, and have written both.
//
// Each part is looked up by itself, since tools that merge checkpoints mix the sets.
#pragma once

#include <string>

#include "model_config.hpp"

namespace luq {
class checkpoint;
}

namespace vlm {

/// The prefixes of a checkpoint, each with its final dot.
struct checkpoint_names {
  std::string decoder;
  std::string head;  ///< "lm_head." if there is no such tensor, as in models whose head is the table of embeddings
  std::string vision;
  std::string projector;
};

/// Finds out which names a checkpoint uses.
/// @param config  of the model
/// @param source  names the checkpoint in messages
/// @throws luq::error corrupt_file if a part other than the head has none of its names
[[nodiscard]] checkpoint_names find_checkpoint_names(const luq::checkpoint& tensors, const model_config& config,
                                                     const std::string& source);

}  // namespace vlm
