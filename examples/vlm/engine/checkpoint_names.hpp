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
//
// A head that is in the file is used, whatever `tie_word_embeddings` says, as in transformers 5. Only of a file without
// one does that key say that the head is the table of embeddings; and since writers of tied models keep either of the
// two, of a file without a table it says that the table is the head.
#pragma once

#include <string>

#include "model_config.hpp"

namespace luq {
class checkpoint;
}

namespace vlm {

/// The prefixes of a checkpoint's parts, each with its final dot, and two tensors by their whole names.
struct checkpoint_names {
  std::string decoder;
  std::string vision;
  std::string projector;
  std::string embedding;
  std::string head;        ///< may be `embedding`
  bool tied_head = false;  ///< table and head are one tensor, or two with the same content
};

/// Finds out which names a checkpoint uses, and that it holds nothing that its configuration does not tell of, such as
/// biases, norms or layers: such a tensor would be left out of the model without a word.
///
/// Two buffers of old checkpoints may be there, rotary_emb.inv_freq and embeddings.position_ids: numbers that follow
/// from the configuration, as in transformers, and are never read. Layers of a CLIP tower behind the last state that
/// the projector sees may be there or not, as may the norm behind them.
/// @param config  of the model
/// @param source  names the checkpoint in messages
/// @throws luq::error corrupt_file if a part has none of its names, or with the names of unknown tensors
[[nodiscard]] checkpoint_names find_checkpoint_names(const luq::checkpoint& tensors, const model_config& config,
                                                     const std::string& source);

}  // namespace vlm
