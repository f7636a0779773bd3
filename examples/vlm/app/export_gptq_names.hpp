// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What tensors and modules are called in a GPTQ checkpoint. Tensors have the names that transformers 5 has in memory
// ("model.language_model.layers...", "model.vision_tower.encoder..."), whatever the model's are: transformers renames
// tensors of older generations when it loads them, but GPTQModel 7.7 asks a quantized checkpoint for these names, and
// leaves a vision tower under others as it was initialized, without a word.
//
// Not vLLM's names of a CLIP tower ("vision_tower.vision_model.encoder..."): no one name is known to both.
#pragma once

#include <luq/policy/checkpoint_shape.hpp>
#include <string>

namespace vlm {

/// The name that transformers 5 has for a tensor.
[[nodiscard]] std::string name_in_memory(const luq::checkpoint_tensor& tensor);

/// A pattern for the same modules under the names of transformers and of vLLM, which has "language_model.model.layers"
/// for "model.language_model.layers" and a "vision_model" in a tower.
/// @param pattern  of names as plans have them, "^model\.layers\...", or as name_in_memory() without its "model."
[[nodiscard]] std::string pattern_of_every_engine(const std::string& pattern);

}  // namespace vlm
