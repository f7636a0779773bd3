// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "checkpoint_names.hpp"

#include <initializer_list>
#include <luq/core/error.hpp>
#include <luq/io/checkpoint.hpp>
#include <string>

namespace vlm {

namespace {

/// The first prefix under which the checkpoint has `tensor`.
std::string find_prefix(const luq::checkpoint& tensors, const std::string& source, const std::string& tensor,
                        std::initializer_list<const char*> prefixes) {
  std::string expected;
  for (const char* prefix : prefixes) {
    if (tensors.contains(prefix + tensor)) return prefix;
    expected += (expected.empty() ? "" : " or ") + (prefix + tensor);
  }
  luq::fail(luq::errc::corrupt_file, source, ": expected a tensor ", expected, ", got none of them");
}

}  // namespace

checkpoint_names find_checkpoint_names(const luq::checkpoint& tensors, const std::string& source) {
  const auto find = [&](const std::string& tensor, std::initializer_list<const char*> prefixes) {
    return find_prefix(tensors, source, tensor, prefixes);
  };
  checkpoint_names names;
  names.decoder = find("embed_tokens.weight", {"language_model.model.", "model.language_model."});
  names.head = tensors.contains("language_model.lm_head.weight") ? "language_model.lm_head." : "lm_head.";
  names.vision = find("embeddings.class_embedding", {"vision_tower.vision_model.", "vision_tower.",
                                                     "model.vision_tower.vision_model.", "model.vision_tower."});
  names.projector = find("linear_1.weight", {"multi_modal_projector.", "model.multi_modal_projector."});
  return names;
}

}  // namespace vlm
