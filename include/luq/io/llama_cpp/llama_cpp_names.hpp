// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What llama.cpp calls the modules of a decoder.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace luq {

/// The name that llama.cpp gives a module of a decoder, "blk.7.ffn_down" for "model.layers.7.mlp.down_proj"; its weight
/// has ".weight" appended. Takes names of text models (model.layers...), of multimodal ones as stored
/// (language_model.model.layers...) and as transformers names them since 4.52 (model.language_model.layers...).
/// Nothing for whatever else there is, such as vision towers.
[[nodiscard]] std::optional<std::string> gguf_module_name(std::string_view module);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/io/llama_cpp/impl/llama_cpp_names.hpp"
#endif
