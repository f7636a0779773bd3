// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Every tensor of the two checkpoints that LUQ was published with, so that the bytes of a plan can be known without
// them: names and shapes as in the headers of their safetensors files.
//
//   llava-1.5-7b    llava-hf/llava-1.5-7b-hf       686 tensors, 7 063 427 072 parameters
//   qwen2.5-vl-7b   Qwen/Qwen2.5-VL-7B-Instruct    729 tensors, 8 292 166 656 parameters
//
// Both are stored in 16 bits, which are called bf16 here; llava-hf's are fp16, which is as long.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "luq/core/compiled.hpp"
#include "luq/core/index.hpp"

namespace luq {

/// Tensors of one shape whose names differ in a number.
struct tensor_family {
  std::string_view name;         ///< '#' stands for 0 ... count-1
  index count = 1;               ///< 1 where there is no '#'
  std::array<index, 5> extents;  ///< the shape; 0 beyond its last dimension
};

/// A checkpoint and what LUQ says of it.
struct published_checkpoint {
  std::string_view name;        ///< on command lines
  std::string_view repository;  ///< on Hugging Face
  std::span<const tensor_family> tensors;
  index low_layers;       ///< decoder layers that the published plan makes ultra-low
  double claimed_saving;  ///< of 4 bits, as the abstract has it
};

/// Both, in the order above.
[[nodiscard]] std::span<const published_checkpoint> published_checkpoints() noexcept;

/// The published checkpoint of a name, or null.
[[nodiscard]] const published_checkpoint* find_published_checkpoint(std::string_view name) noexcept;

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/models/impl/published_checkpoints.hpp"
#endif
