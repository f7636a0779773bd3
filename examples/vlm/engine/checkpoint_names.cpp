// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "checkpoint_names.hpp"

#include <luq/core/error.hpp>
#include <luq/io/checkpoint.hpp>
#include <string>
#include <vector>

namespace vlm {

namespace {

/// A part of a model: a tensor that it always has, and the prefixes under which that may be.
struct named_part {
  std::string tensor;
  std::vector<std::string> prefixes;
};

struct named_parts {
  named_part decoder;
  named_part vision;
  named_part projector;
};

named_parts parts_of(const llava_vision_config&) {
  return {{"embed_tokens.weight", {"language_model.model.", "model.language_model."}},
          {"embeddings.class_embedding",
           {"vision_tower.vision_model.", "vision_tower.", "model.vision_tower.vision_model.", "model.vision_tower."}},
          {"linear_1.weight", {"multi_modal_projector.", "model.multi_modal_projector."}}};
}

named_parts parts_of(const qwen_vision_config&) {
  return {{"embed_tokens.weight", {"model.", "model.language_model."}},
          {"patch_embed.proj.weight", {"visual.", "model.visual."}},
          {"ln_q.weight", {"visual.merger.", "model.visual.merger."}}};
}

/// The first prefix under which the checkpoint has the part's tensor.
std::string find_prefix(const luq::checkpoint& tensors, const std::string& source, const named_part& part) {
  std::string expected;
  for (const std::string& prefix : part.prefixes) {
    if (tensors.contains(prefix + part.tensor)) return prefix;
    expected += (expected.empty() ? "" : " or ") + (prefix + part.tensor);
  }
  luq::fail(luq::errc::corrupt_file, source, ": expected a tensor ", expected, ", got none of them");
}

}  // namespace

checkpoint_names find_checkpoint_names(const luq::checkpoint& tensors, const model_config& config,
                                       const std::string& source) {
  const named_parts parts = std::visit([](const auto& vision) { return parts_of(vision); }, config.vision);
  checkpoint_names names;
  names.decoder = find_prefix(tensors, source, parts.decoder);
  names.head = tensors.contains("language_model.lm_head.weight") ? "language_model.lm_head." : "lm_head.";
  names.vision = find_prefix(tensors, source, parts.vision);
  names.projector = find_prefix(tensors, source, parts.projector);
  return names;
}

}  // namespace vlm
